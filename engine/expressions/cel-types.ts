/** Between JSON Schema and CEL: the types of what an expression reads and gives, and the values themselves. */
import type { Schema } from '../sdk/schema.ts';
import { celLibrary } from './cel-library.ts';

/** The CEL type of the values that a schema accepts; `dyn` where it does not say. */
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

/** Of `enum: [a, b]`, which says no type. */
function typeOfValues(schema: Schema | undefined): Schema['type'] {
  const values = schema?.enum ?? (schema?.const === undefined ? [] : [schema.const]);
  const kinds = new Set(values.map((value) => typeof value));
  const [kind] = kinds;
  return kinds.size === 1 && (kind === 'string' || kind === 'boolean') ? kind : undefined;
}

/** What a CEL type is called in a JSON Schema; undefined where only the value will tell. */
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

/** JSON → CEL: whole numbers are its `int`, but for those that a schema calls `number`. */
export function toCel(value: unknown, schema: Schema | undefined): unknown {
  if (typeof value === 'number') return schema?.type !== 'number' && Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map((item) => toCel(item, schema?.items));
  if (typeof value === 'object' && value !== null)
    return new Map(Object.entries(value).map(([key, inner]) => [key, toCel(inner, schema?.properties?.[key])]));
  return value;
}

/** CEL → JSON; an optional without a value is undefined. Throws an Error for what JSON does not have. */
export function fromCel(value: unknown): unknown {
  if (typeof value === 'bigint') {
    if (Number.isSafeInteger(Number(value))) return Number(value);
    throw new Error('a whole number of more than 53 bits');
  }
  if (value instanceof celLibrary().Optional) return value.hasValue() ? fromCel(value.value()) : undefined;
  if (Array.isArray(value)) return value.map(fromCel);
  if (value instanceof Map) return objectOf([...value]);
  if (typeof value !== 'object' || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype)
    throw new Error('something that is neither text, number nor truth');
  return objectOf(Object.entries(value));
}

/** Also of a key named `__proto__`. */
const objectOf = (entries: [unknown, unknown][]): object =>
  Object.fromEntries(entries.map(([key, inner]) => [String(key), fromCel(inner)]));
