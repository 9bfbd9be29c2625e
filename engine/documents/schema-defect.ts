/** Schemas that come from outside, in a pipeline or a plugin, and cannot be used. */
import type { Schema } from '../sdk/schema.ts';
import { clean } from '../sdk/text.ts';
import { PatternError } from './patterns.ts';
import { violations } from './validate.ts';

/** Why ajv cannot validate values with `schema`, or undefined if it can. */
export function schemaDefect(schema: Schema): string | undefined {
  if (hasReference(schema)) return '$ref is not supported'; // a schema could refer to itself without end
  try {
    violations(schema, {});
    return undefined;
  } catch (error) {
    return error instanceof PatternError ? error.message : defectIn((error as Error).message);
  }
}

/** Our own sentence for the defect that ajv describes. */
function defectIn(message: string): string {
  const [, type] = /^type must be JSONType or JSONType\[\]: (.*)$/.exec(message) ?? [];
  if (type !== undefined) return clean(`${type} is not a type of JSON Schema`);
  const [, keyword, types = ''] = /^(\S+) value must be \[(.*)\]$/.exec(message) ?? [];
  if (keyword !== undefined) return `${keyword} must be of type ${types.replaceAll('"', '').replaceAll(',', ' or ')}`;
  if (message.startsWith('enum must')) return 'enum has no values';
  return message.startsWith('$async') ? message : 'it is not valid JSON Schema';
}

const hasReference = (part: unknown): boolean =>
  typeof part === 'object' &&
  part !== null &&
  Object.entries(part).some(([key, inner]) => key === '$ref' || key === '$dynamicRef' || hasReference(inner));
