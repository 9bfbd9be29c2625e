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
  /**
   * The known texts by their first characters, the longest first, so that a whole key becomes one `***`. A run may know
   * thousands of them: a search for each one, or one regular expression of all, takes longer than the run itself.
   */
  readonly #byStart = new Map<number, string[]>();

  /** Remembers every secret in `value`, its parts, and the encodings in which both may appear. */
  learn(value: unknown): void {
    if (!isSecret(value)) {
      if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) this.learn(inner);
      return;
    }
    const text = value.reveal().trim();
    if (this.#known.has(text)) return;
    const parts = (text.match(PART) ?? []).filter((part) => !PATH.test(part));
    for (const form of [text, ...parts].flatMap(formsOf)) if (form.length >= CHARACTERS_MIN) this.#remember(form);
  }

  hasSecret(text: string): boolean {
    return this.#next(text, 0) !== undefined;
  }

  /**
   * A copy of plain data in which every text that contains a secret is a `Secret`. Phases still read the text in it.
   */
  wrapSecrets(value: unknown): unknown {
    return mapped(value, (text) => (this.hasSecret(text) ? new Secret(text) : text));
  }

  /** A copy with `***` for every secret. Errors are changed in place, with their details and causes. */
  redact<T>(value: T): T {
    return mapped(value, (text) => this.#redactText(text)) as T; // texts stay texts
  }

  #remember(form: string): void {
    if (this.#known.has(form)) return;
    this.#known.add(form);
    const start = startAt(form, 0);
    this.#byStart.set(
      start,
      [...(this.#byStart.get(start) ?? []), form].sort((a, b) => b.length - a.length),
    );
  }

  /** The next known text at `from` or later. */
  #next(text: string, from: number): { at: number; end: number } | undefined {
    for (let at = from; at <= text.length - CHARACTERS_MIN; at++) {
      const found = this.#byStart.get(startAt(text, at))?.find((form) => text.startsWith(form, at));
      if (found !== undefined) return { at, end: at + found.length };
    }
    return undefined;
  }

  #redactText(text: string): string {
    let redacted = '';
    let end = 0;
    for (let next = this.#next(text, 0); next !== undefined; next = this.#next(text, end)) {
      redacted += `${text.slice(end, next.at)}***`;
      end = next.end;
    }
    return redacted + text.slice(end);
  }
}

/** One number for the four characters at `at`. Other characters may have the same one. */
const startAt = (text: string, at: number): number =>
  text.charCodeAt(at) ^
  (text.charCodeAt(at + 1) << 7) ^
  (text.charCodeAt(at + 2) << 14) ^
  (text.charCodeAt(at + 3) << 21);

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
