import type { Problems } from './problems.ts';
import { violations } from './validate.ts';

/** Reports every violation of `schema` in `value` at its place in the document. */
export function checkShape(schema: object, value: unknown, problems: Problems): void {
  for (const { path, key, message } of violations(schema, value)) {
    if (key === undefined) problems.at(path, message, 'shape');
    else problems.atKey(path, key, message, 'unknown-key');
  }
}
