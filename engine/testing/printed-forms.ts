/** All texts in which a secret of a value could become visible. */
import { inspect } from 'node:util';

/** What `value` looks like when it is printed, serialised or concatenated. */
export const printedForms = (value: unknown): string =>
  [inspect(value, { depth: 20, showHidden: true }), JSON.stringify(value), String(value), ...errorTexts(value)].join(
    '\n',
  );

const errorTexts = (value: unknown): string[] =>
  value instanceof Error
    ? [value.message, value.stack ?? '', JSON.stringify({ ...value }), ...errorTexts(value.cause)]
    : [];
