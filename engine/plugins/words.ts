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

/** What is longer cannot be read, and would be journaled. */
const MESSAGE_LENGTH_MAX = 10_000;

/** The error as it is, where all that it is made of is plain; else a new one that says as much of it as can be said. */
export function tamed(thrown: unknown): Error {
  try {
    if (isPlainError(thrown)) return thrown;
  } catch {
    // its stack is made when it is looked at, of its message
  }
  return ownError(thrown) ?? new Error(wordsOf(thrown));
}

const short = (text: string): string => text.slice(0, MESSAGE_LENGTH_MAX);

/** A JoinError made of what `thrown` says of itself, where it is one: perhaps of another copy of the class. */
function ownError(thrown: unknown): JoinError | undefined {
  try {
    if (!isJoinError(thrown)) return undefined;
    const { code, hint, exitCode, transient, message } = thrown;
    if (![code, hint, message].every((text) => typeof text === 'string')) return undefined;
    if (!/^E_[A-Z0-9_]{1,60}$/.test(code) || !Number.isInteger(exitCode) || exitCode < 1 || exitCode > 255)
      return undefined;
    const words = { message: short(message), hint: short(hint), exitCode, transient: transient === true };
    return new JoinError(code, words, {});
  } catch {
    return undefined;
  }
}

const KINDS = [JoinError, Error, TypeError, RangeError, SyntaxError, ReferenceError, AggregateError, DOMException];
const STACK = Object.getOwnPropertyDescriptor(new Error(), 'stack')?.get;

/**
 * An error of Node, of this engine, or of what a plugin makes by the SDK, with nothing in it that runs when it is read.
 */
function isPlainError(thrown: unknown): thrown is Error {
  if (types.isProxy(thrown) || !(thrown instanceof Error)) return false;
  if (!KINDS.some(({ prototype }) => Object.getPrototypeOf(thrown) === prototype)) return false;
  if (isJoinError(thrown) && Object.getPrototypeOf(thrown) !== JoinError.prototype) return false; // of another copy
  const own = Object.getOwnPropertyDescriptors(thrown) as Record<string, PropertyDescriptor>;
  return Object.entries(own).every(([name, { get, value }]) => {
    if (get !== undefined) return name === 'stack' && get === STACK;
    return name === 'cause' ? value === undefined || isPlainError(value) : isPlainData(value, 0);
  });
}

function isPlainData(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return value.length <= MESSAGE_LENGTH_MAX;
  if (typeof value !== 'object' || value === null) return typeof value !== 'function';
  if (types.isProxy(value) || depth > 5) return false;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return false;
  const own = Object.values(Object.getOwnPropertyDescriptors(value)) as PropertyDescriptor[];
  return own.length <= 1000 && own.every(({ get, value: inner }) => get === undefined && isPlainData(inner, depth + 1));
}
