/** What a run tells, without the secrets it works with: a phase may log one, throw one, or return one that its schema does not mark. */
import { isSecret, Secret } from '../sdk/secret.ts';

/** A shorter one would be found in words that have nothing to do with it. */
const CHARACTERS_MIN = 8;
/** The random half of a token, a line of a key. */
const PART = /[A-Za-z0-9+/=]{16,}/g;
const PATH = /^\/[A-Za-z/]+$/;

/** Knows the secrets of one run. */
export class Redactor {
  readonly #known = new Set<string>();
  /** Finds the longest first: a key as a whole is one `***`. */
  #pattern = /(?!)/g;

  /** Every secret in plain data, and what it is made of: as it is, and in the forms in which texts travel. */
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

  /** Whether a secret of the run can be read in it. */
  isIn(text: string): boolean {
    return text.search(this.#pattern) >= 0;
  }

  /** Plain data in which every text with a secret in it is a secret itself: it stays what it is for who works with it. */
  wrapped(value: unknown): unknown {
    return mapped(value, (text) => (this.isIn(text) ? new Secret(text) : text));
  }

  /** As it may be told: with `***` for every secret. An error is changed in place, its facts and causes too. */
  redacted<T>(value: T): T {
    return mapped(value, (text) => text.replace(this.#pattern, '***')) as T; // texts stay texts
  }
}

/** In base64 a text looks different behind each number of bytes; what is left out at its ends is less than three bytes. */
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

/** A copy of plain data with its texts replaced. Errors are changed in place; what else there may be stays as it is. */
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
    Object.defineProperty(copy, key, { value: next(inner), writable: true, enumerable: true, configurable: true });
  return copy;
}
