/** Values that never print themselves: tokens, keys. */
import { inspect } from 'node:util';

const MARK = Symbol.for('joinery.secret');

/** Holds a secret text. Everything that prints, serialises or concatenates it gets `***`; only `reveal()` has the value. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    // A symbol and not `instanceof`: a plugin may have met another copy of this class.
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

export const isSecret = (value: unknown): value is Secret =>
  typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[MARK] === true;

/** A deep copy of plain data with every secret revealed: only for validators and writers, never for anything that prints. */
export function revealSecrets(value: unknown): unknown {
  if (isSecret(value)) return value.reveal();
  if (Array.isArray(value)) return value.map(revealSecrets);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revealSecrets(inner)]));
  return value;
}
