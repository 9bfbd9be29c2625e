/**
 * Removes the secrets of a run from everything that it reports. A phase may log a secret, throw it, or return it
 * unmarked.
 */
import { isSecret, Secret } from '../sdk/secret.ts';

/** A shorter text would also be found in words that have nothing to do with the secret. */
const CHARACTERS_MIN = 8;
/** The random half of a token, or a line of a key. */
const PART = /[A-Za-z0-9+/=]{16,}/g;
const PATH = /^\/[A-Za-z/]+$/;

/** Knows the secrets of one run. */
export class Redactor {
  readonly #known = new Set<string>();
  /** The longest form matches first, so that a whole key becomes one `***`. */
  #pattern = /(?!)/g;

  /** Remembers every secret in `value`, its parts, and the encodings in which both may appear. */
  learn(value: unknown): void {
    if (!isSecret(value)) {
      if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) this.learn(inner);
      return;
    }
    const text = value.reveal().trim();
    if (this.#known.has(text)) return;
    const parts = (text.match(PART) ?? []).filter((part) => !PATH.test(part));
    for (const form of [text, ...parts].flatMap(formsOf)) if (form.length >= CHARACTERS_MIN) this.#known.add(form);
    if (this.#known.size === 0) return;
    const longestFirst = [...this.#known].sort((a, b) => b.length - a.length);
    this.#pattern = new RegExp(longestFirst.map((form) => form.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|'), 'g');
  }

  hasSecret(text: string): boolean {
    return text.search(this.#pattern) >= 0;
  }

  /**
   * A copy of plain data in which every text that contains a secret is a `Secret`. Phases still read the text in it.
   */
  wrapSecrets(value: unknown): unknown {
    return mapped(value, (text) => (this.hasSecret(text) ? new Secret(text) : text));
  }

  /** A copy with `***` for every secret. Errors are changed in place, with their details and causes. */
  redact<T>(value: T): T {
    return mapped(value, this.#redactText) as T; // texts stay texts
  }

  readonly #redactText = (text: string): string =>
    text.length < CHARACTERS_MIN ? text : text.replace(this.#pattern, '***');
}

/**
 * Base64 of a text depends on its offset modulo 3. Each of the three forms omits at most two bytes at either end.
 */
function formsOf(text: string): string[] {
  const bytes = Buffer.from(text);
  const groups = [0, 1, 2].map((at) => bytes.subarray(at, bytes.length - ((bytes.length - at) % 3)));
  const base64 = groups.flatMap((group) => [group.toString('base64'), group.toString('base64url')]);
  return [
    text,
    ...base64,
    bytes.toString('hex'),
    encodeURIComponent(bytes.toString()),
    JSON.stringify(text).slice(1, -1),
  ];
}

/** A copy of plain data with its texts replaced. Errors are changed in place; other objects stay as they are. */
function mapped(value: unknown, replace: (text: string) => unknown, done = new Map<unknown, unknown>()): unknown {
  if (typeof value === 'string') return replace(value);
  if (typeof value !== 'object' || value === null || isSecret(value)) return value;
  if (done.has(value)) return done.get(value);
  const next = (inner: unknown) => mapped(inner, replace, done);
  if (value instanceof Error) {
    done.set(value, value);
    for (const key of Reflect.ownKeys(value)) Reflect.set(value, key, next(Reflect.get(value, key)));
    return value;
  }
  if (!Array.isArray(value) && ![Object.prototype, null].includes(Object.getPrototypeOf(value))) return value;
  const copy = Array.isArray(value) ? [] : {};
  done.set(value, copy);
  for (const [key, inner] of Object.entries(value))
    if (key !== '__proto__') Reflect.set(copy, key, next(inner));
    else Object.defineProperty(copy, key, { value: next(inner), writable: true, enumerable: true, configurable: true });
  return copy;
}
