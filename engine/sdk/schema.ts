/** The subset of JSON Schema 2020-12 for inputs and outputs, and the TypeScript types of their values. */
import { isSecret, Secret } from './secret.ts';

/**
 * A schema of inputs or outputs. Its own keywords start with `x-`.
 *
 * @example { type: 'object', properties: { text: { type: 'string', description: 'The greeting' } }, required: ['text']
 * }
 * @stable
 */
export interface Schema {
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object';
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  /** The pattern in words, for error messages: the value must …. */
  readonly 'x-form'?: string;
  /** A path or an address. On a command line, a relative path starts at the current directory. */
  readonly 'x-path'?: boolean;
  /** Blanks around a value from outside are dropped, and its letters are read in lower case. */
  readonly 'x-lower-case'?: boolean;
  /** An input that is a mapping: on a command line each of its properties has a flag of its own. */
  readonly 'x-flags'?: boolean;
  /** Heading of the flag in the help. */
  readonly 'x-group'?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: { readonly [name: string]: Schema };
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly allOf?: readonly Schema[];
  /** Alternatives. If none fits, the error message is the `description` next to it. */
  readonly anyOf?: readonly Schema[];
  /** Alternatives that exclude each other, worded like those of `anyOf`. */
  readonly oneOf?: readonly Schema[];
  /** A secret string: the phase gets a `Secret`, and Joinery prints `***` everywhere. */
  readonly writeOnly?: boolean;
  /** An output that only a real run knows. A dry run uses a placeholder value of this type. */
  readonly 'x-known'?: 'after-run';
}

/**
 * The TypeScript type of the values that a schema accepts. Properties with a default are required; secrets are
 * `Secret` values.
 * @stable
 */
export type Infer<S> = S extends { const: infer C }
  ? C
  : S extends { enum: readonly (infer E)[] }
    ? E
    : S extends { type: 'string'; writeOnly: true }
      ? Secret
      : S extends { type: 'string' }
        ? string
        : S extends { type: 'integer' | 'number' }
          ? number
          : S extends { type: 'boolean' }
            ? boolean
            : S extends { type: 'array'; items: infer I }
              ? Infer<I>[]
              : S extends { type: 'object'; additionalProperties: infer A extends object }
                ? Record<string, Infer<A>>
                : S extends { type: 'object' }
                  ? InferObject<S>
                  : unknown;

type Properties<S> = S extends { properties: infer P } ? P : Record<never, never>;
type RequiredNames<S> = S extends { required: readonly (infer R)[] } ? R : never;
type DefaultedNames<P> = { [K in keyof P]: P[K] extends { default: unknown } ? K : never }[keyof P];
type Present<S> = Extract<keyof Properties<S>, RequiredNames<S> | DefaultedNames<Properties<S>>>;
type InferObject<S> = { [K in Present<S>]: Infer<Properties<S>[K]> } & {
  [K in Exclude<keyof Properties<S>, Present<S>>]?: Infer<Properties<S>[K]>;
};

/**
 * A copy of `value` in which every string that the schema marks `writeOnly` is a `Secret`.
 * @experimental
 */
export function wrapSecrets(schema: Schema | undefined, value: unknown): unknown {
  if (schema === undefined || isSecret(value)) return value;
  if (schema.writeOnly === true && typeof value === 'string') return new Secret(value);
  if (Array.isArray(value)) return value.map((item) => wrapSecrets(schema.items, item));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, wrapSecrets(propertySchema(schema, name), inner)]),
    );
  return value;
}

/** The schema of the property `name`. */
export function propertySchema({ properties, additionalProperties }: Schema, name: string): Schema | undefined {
  if (properties !== undefined && Object.hasOwn(properties, name)) return properties[name];
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}

/** A value from outside in the form that its schema asks for. */
export const tidied = (schema: Schema, value: unknown): unknown =>
  schema['x-lower-case'] === true && typeof value === 'string' ? value.trim().toLowerCase() : value;
