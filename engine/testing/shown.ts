/** What a value shows of itself, whoever looks at it: where secrets would come out. */
import { inspect } from 'node:util';

/** Everything that `value` shows to somebody who prints, serialises or concatenates it. */
export const shownOf = (value: unknown): string =>
  [inspect(value, { depth: 20, showHidden: true }), JSON.stringify(value), String(value), ...errorTexts(value)].join(
    '\n',
  );

const errorTexts = (value: unknown): string[] =>
  value instanceof Error
    ? [value.message, value.stack ?? '', JSON.stringify({ ...value }), ...errorTexts(value.cause)]
    : [];
