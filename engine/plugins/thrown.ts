/** A plugin may throw any value, and even reading it may throw again. These functions turn it into a plain error. */
import { types } from 'node:util';
import { isJoinError, JoinError } from '../sdk/errors.ts';
import { clean } from '../sdk/text.ts';

/** A thrown value as one line of text. */
export function thrownText(thrown: unknown): string {
  try {
    if (typeof thrown !== 'object' || thrown === null) return `it threw ${clean(String(thrown)) || 'nothing'}`;
    const { message } = thrown as { message?: unknown };
    return typeof message === 'string' && message !== '' ? clean(message) : `it threw ${clean(JSON.stringify(thrown))}`;
  } catch {
    return 'it threw a value that cannot be printed';
  }
}

/** Longer messages are not readable, and would fill the journal. */
const MESSAGE_LENGTH_MAX = 10_000;

/** The error itself if it consists of plain data, else a new error with its text. */
export function plainError(thrown: unknown): Error {
  try {
    if (isPlainError(thrown)) return thrown;
  } catch {
    // reading the stack runs code of the error
  }
  return ownError(thrown) ?? new Error(thrownText(thrown));
}

const short = (text: string): string => text.slice(0, MESSAGE_LENGTH_MAX);

/** A new JoinError with the fields of `thrown`, which may come from another copy of the class. */
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

/** Whether it is an error of Node, of this engine or of the SDK, and contains nothing that runs when it is read. */
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
