/** What a plugin throws may be anything at all, and reading it may throw again: made into errors that can be shown. */
import { types } from 'node:util';
import { isJoinError, JoinError } from '../sdk/errors.ts';
import { clean } from '../sdk/text.ts';

/** What is said of something that was thrown, in one line. */
export function wordsOf(thrown: unknown): string {
  try {
    if (typeof thrown !== 'object' || thrown === null) return `it threw ${clean(String(thrown)) || 'nothing'}`;
    const { message } = thrown as { message?: unknown };
    return typeof message === 'string' && message !== '' ? clean(message) : `it threw ${clean(JSON.stringify(thrown))}`;
  } catch {
    return 'it threw something that cannot be shown';
  }
}

/** The error as it is, where all that it is made of is plain; else a new one that says as much of it as can be said. */
export function tamed(thrown: unknown): Error {
  if (isPlainError(thrown)) return thrown;
  return ownError(thrown) ?? new Error(wordsOf(thrown));
}

/** A JoinError made of what `thrown` says of itself, where it is one: perhaps of another copy of the class. */
export function ownError(thrown: unknown): JoinError | undefined {
  try {
    if (!isJoinError(thrown)) return undefined;
    const { code, hint, exitCode, transient, message } = thrown;
    if (![code, hint, message].every((text) => typeof text === 'string')) return undefined;
    if (!/^E_[A-Z0-9_]{1,60}$/.test(code) || !Number.isInteger(exitCode) || exitCode < 1 || exitCode > 255)
      return undefined;
    return new JoinError(code, { message, hint, exitCode, transient: transient === true }, {});
  } catch {
    return undefined;
  }
}

/** Errors of Node, of this engine, and of what a plugin makes by the SDK; a Proxy, or one with getters of its own, is not. */
function isPlainError(thrown: unknown): thrown is Error {
  if (types.isProxy(thrown) || !types.isNativeError(thrown)) return false;
  const kind: unknown = Object.getPrototypeOf(thrown);
  if (
    ![JoinError, Error, TypeError, RangeError, SyntaxError, ReferenceError].some(({ prototype }) => kind === prototype)
  )
    return false;
  const own = Object.entries(Object.getOwnPropertyDescriptors(thrown));
  return own.every(
    ([name, { value }]) => name === 'stack' || typeof value !== 'object' || value === null || name === 'facts',
  );
}
