import { expect, test, vi } from 'vitest';
import { schemaDefect } from '../../../engine/documents/schema-defect.ts';
import type { Schema } from '../../../engine/sdk/index.ts';

test.each<[object, string]>([
  [{ type: 'strng' }, 'strng is not a type of JSON Schema'],
  [{ minimum: 'x' }, 'minimum must be of type number'],
  [{ items: 3 }, 'items must be of type object or boolean'],
  [{ enum: [] }, 'enum has no values'],
  [{ nullable: true }, 'it is not valid JSON Schema'],
  [{ $id: 3 }, 'it is not valid JSON Schema'],
  [{ $async: true }, '$async is not supported'],
  [{ $ref: '#' }, '$ref is not supported'],
])('the schema %j is refused in our own words: %s', (schema, defect) => {
  expect(schemaDefect(schema as Schema)).toBe(defect);
});

test('a schema with an unknown format writes nothing to the terminal', () => {
  const warn = vi.spyOn(console, 'warn');
  expect(schemaDefect({ type: 'string', format: 'nope' } as Schema)).toBeUndefined();
  expect(warn).not.toHaveBeenCalled();
  warn.mockRestore();
});
