/** Schemas that come from outside, in a pipeline or a plugin, and cannot be used. */
import type { Schema } from '../sdk/schema.ts';
import { violations } from './validate.ts';

/** Why ajv cannot validate values with `schema`, or undefined if it can. */
export function schemaDefect(schema: Schema): string | undefined {
  if (hasReference(schema)) return '$ref is not supported'; // a schema could refer to itself without end
  try {
    violations(schema, {});
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const hasReference = (part: unknown): boolean =>
  typeof part === 'object' &&
  part !== null &&
  Object.entries(part).some(([key, inner]) => key === '$ref' || key === '$dynamicRef' || hasReference(inner));
