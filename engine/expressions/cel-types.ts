/** Converts types and values between JSON Schema and CEL. */
import type { Schema } from '../sdk/schema.ts';
import { ExpressionError } from './cel-errors.ts';
import { celLibrary } from './cel-library.ts';

/** The CEL type of the values that a schema accepts, or `dyn` if the schema does not say. */
export function celType(schema: Schema | undefined): string {
  switch (schema?.type ?? typeOfValues(schema)) {
    case 'string':
      return 'string';
    case 'integer':
      return 'int';
    case 'number':
      return 'double';
    case 'boolean':
      return 'bool';
    case 'array':
      return `list<${celType(schema?.items)}>`;
    case 'object':
      return 'map<string, dyn>';
    default:
      return 'dyn';
  }
}

/** The type of a schema such as `enum: [a, b]`, which names none. */
function typeOfValues(schema: Schema | undefined): Schema['type'] {
  const values = schema?.enum ?? (schema?.const === undefined ? [] : [schema.const]);
  const kinds = new Set(values.map((value) => typeof value));
  const [kind] = kinds;
  return kinds.size === 1 && (kind === 'string' || kind === 'boolean') ? kind : undefined;
}

/** The JSON Schema type for a CEL type, or undefined if only the value shows it. */
export function jsonType(type: string): Schema['type'] {
  if (type.startsWith('list')) return 'array';
  if (type.startsWith('map')) return 'object';
  return JSON_TYPES.get(type.replace(/^optional<(.*)>$/, '$1'));
}
const JSON_TYPES = new Map<string, Schema['type']>([
  ['string', 'string'],
  ['int', 'integer'],
  ['double', 'number'],
  ['bool', 'boolean'],
]);

/** JSON → CEL. Whole numbers become `int`, unless the schema says `number`. */
export function toCel(value: unknown, schema: Schema | undefined): unknown {
  if (typeof value === 'number') return schema?.type !== 'number' && Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map((item) => toCel(item, schema?.items));
  if (typeof value === 'object' && value !== null)
    return new Map(Object.entries(value).map(([key, inner]) => [key, toCel(inner, schema?.properties?.[key])]));
  return value;
}

/** CEL → JSON. An empty optional is undefined. Throws an Error for a value that JSON cannot represent. */
export function fromCel(value: unknown): unknown {
  if (typeof value === 'bigint') {
    if (Number.isSafeInteger(Number(value))) return Number(value);
    throw new ExpressionError('an integer of more than 53 bits');
  }
  if (value instanceof celLibrary().Optional) return value.hasValue() ? fromCel(value.value()) : undefined;
  if (Array.isArray(value)) return value.map(fromCel);
  if (value instanceof Map) return objectOf([...value]);
  if (typeof value !== 'object' || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype)
    throw new ExpressionError('a value that JSON cannot represent');
  return objectOf(Object.entries(value));
}

/** `fromEntries` also handles a key named `__proto__`. */
const objectOf = (entries: [unknown, unknown][]): object =>
  Object.fromEntries(entries.map(([key, inner]) => [String(key), fromCel(inner)]));
