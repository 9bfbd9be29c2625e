/** The part of JSON Schema 2020-12 that phases describe their inputs and outputs with, and the types it gives. */
import { isSecret, Secret } from './secret.ts';

export interface Schema {
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object';
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  /** The pattern in words, for who got it wrong: `it must …`. */
  readonly 'x-form'?: string;
  /** A path of this machine, or an address: on a command line it may be relative to where one stands. */
  readonly 'x-path'?: boolean;
  /** An input that is a mapping: on a command line each of its properties has a flag of its own. */
  readonly 'x-flags'?: boolean;
  /** The heading under which the help has it. */
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
  /** Alternatives; the `description` beside it is what the user is told when none fits. */
  readonly anyOf?: readonly Schema[];
  /** A secret: handed to the phase as a `Secret`, shown as `***` everywhere. Strings only. */
  readonly writeOnly?: boolean;
  /** Of an output: in a dry run there is a stand-in of this form, and expressions know that it is not the value. */
  readonly 'x-known'?: 'after-run';
}

/** The TypeScript type of the values a schema accepts. A property with a default is there; a secret is a `Secret`. */
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

/** `value` with every string that its schema marks `writeOnly` wrapped as a `Secret`; the rest as it is. */
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

/** What a schema says of the property `name`. */
export function propertySchema({ properties, additionalProperties }: Schema, name: string): Schema | undefined {
  if (properties !== undefined && Object.hasOwn(properties, name)) return properties[name];
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}
