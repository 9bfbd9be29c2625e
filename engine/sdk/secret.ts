/** Secrets: tokens and keys that never print their value. */
import { inspect } from 'node:util';

const MARK = Symbol.for('joinery.secret');

/**
 * A secret string. Printing, serialising or concatenating it gives `***`; only `reveal()` returns the value.
 *
 * @example await files.write('/etc/acme/token', token, 0o600); // ports accept secrets, so reveal() is rarely needed
 * @stable
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    // isSecret looks for this symbol, because a plugin may have loaded another copy of the class.
    Object.defineProperty(this, MARK, { value: true });
  }

  reveal(): string {
    return this.#value;
  }
  toString(): string {
    return '***';
  }
  toJSON(): string {
    return '***';
  }
  [inspect.custom](): string {
    return '***';
  }
}

/**
 * Whether `value` is a Secret.
 * @stable
 */
export const isSecret = (value: unknown): value is Secret =>
  typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[MARK] === true;

/**
 * A deep copy of plain data with every secret revealed. Use it for validation and for files, never for output.
 * @experimental
 */
export function revealSecrets(value: unknown): unknown {
  if (isSecret(value)) return value.reveal();
  if (Array.isArray(value)) return value.map(revealSecrets);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revealSecrets(inner)]));
  return value;
}
