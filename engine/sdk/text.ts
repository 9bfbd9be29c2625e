/** Text from untrusted sources, and suggestions for mistyped names. */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { fail } from './errors.ts';

const UNPACKED_BYTES_MAX = 4 << 20;

/**
 * Characters that a terminal interprets or hides: control and format characters, lone surrogates, line and paragraph
 * separators.
 */
const UNPRINTABLE = '[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}]';
const RUN = new RegExp(`${UNPRINTABLE}+`, 'gu');
const ALL_BUT_NEW_LINE = new RegExp(`(?!\n)${UNPRINTABLE}`, 'gu');

/**
 * The text of a gzip file, in Latin-1. E_FILE if the data is not gzip, or is more than 4 MiB unpacked.
 * @experimental
 */
export async function gunzipText(path: string, bytes: Buffer): Promise<string> {
  try {
    return (await promisify(gunzip)(bytes, { maxOutputLength: UNPACKED_BYTES_MAX })).toString('latin1');
  } catch (error) {
    const isLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    const what = isLarge ? `larger than ${UNPACKED_BYTES_MAX} bytes when unpacked` : 'not a complete gzip file';
    throw fail('E_FILE', { path, what }, error);
  }
}

/**
 * The text of a file as it comes: UTF-8, or UTF-16 as Windows writes it, without a byte order mark.
 * @stable
 */
export function decodeText(bytes: Buffer): string {
  const text = utf16Of(bytes)?.toString('utf16le') ?? bytes.toString('utf8');
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/** In little-endian order; undefined if it is not UTF-16. Without a mark, a NUL beside the first character shows it. */
function utf16Of(bytes: Buffer): Buffer | undefined {
  const [first, second] = bytes;
  const even = bytes.subarray(0, bytes.length & ~1);
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0)) return even;
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== 0)) return Buffer.from(even).swap16();
  return undefined;
}

/**
 * The text as one line that is safe for a terminal, cut at 500 characters. Use it for text from servers and programs.
 *
 * @example log.warn(`the server refused: ${clean(body)}`)
 * @stable
 */
export const clean = (text: string): string => text.replace(RUN, ' ').trim().slice(0, 500);

/**
 * The text with its lines, safe for a terminal: `instead` replaces each unsafe character.
 * @experimental
 */
export const printable = (text: string, instead: (character: string) => string = () => ' '): string =>
  text.replace(ALL_BUT_NEW_LINE, instead);

/**
 * A value of a document as one safe line. Unlike `String()`, it never calls a `toString` that the document defines.
 * @stable
 */
export const valueText = (value: unknown): string =>
  clean(typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined'));

/** Words with dots between them: a token, but also a field, a reference, a host name or a file name. */
const DOTTED = /(?<![\w-])[\w-]*(?:\.[\w-]*)+/g;
/** The secret half of a token by itself. A digest is longer, and a word has no digits. */
const BARE_HALF = /(?<![a-z0-9])(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{12,31}(?![a-z0-9])/gi;
/** A word that continues on the next line, in a block scalar, a quoted text, a comment or JSON, and is not a key. */
const LINE_BREAK = '(?:\\\\n|[ \\t\\r\\\\]*\\n[ \\t\\r\\n#>\\\\]*)';
const OVER_LINES = new RegExp(`(?<![a-z0-9.])[a-z0-9.]+(?:${LINE_BREAK}[a-z0-9.]+)+(?![a-z0-9.]|[ \\t]*:)`, 'gi');
const BREAK = new RegExp(LINE_BREAK, 'g');
/** A quoted value in which a space has taken the place of a line break. */
const QUOTED = /"[^"\n]*"/g;
const OVER_SPACES = /(?<![a-z0-9.])[a-z0-9.]+(?: +[a-z0-9.]+)*\.[a-z0-9]*(?: +[a-z0-9]+)+/gi;
const TOKEN_PIECE = /[a-z0-9]{6}\.(?=[a-z]*\d)[a-z0-9]{8}/i;
const FIRST_OF_REFERENCE = ['inputs', 'steps', 'host', 'gates', 'run', 'discovery', 'timeouts', 'patches'];

/**
 * The text with `***` for what may be the secret half of a bootstrap token, or a piece of one. Every text that quotes
 * a document passes through here: a broken line can move a token into any field, and split it. Names without digits
 * stay if they cannot be a token: fields, references, and names of three or more parts.
 */
export const maskTokens = (text: string): string =>
  maskWords(
    text
      .replace(OVER_LINES, (words) => maskIf((word) => maskWords(word) !== word, words, BREAK))
      .replace(QUOTED, (value) =>
        value.replace(OVER_SPACES, (words) => maskIf((word) => TOKEN_PIECE.test(word), words, / +/g)),
      ),
  );

const maskIf = (isToken: (word: string) => boolean, words: string, breaks: RegExp): string =>
  isToken(words.replace(breaks, '')) ? words.replace(/(?<!\\)[a-z0-9.]+/gi, '***') : words;

const maskWords = (text: string): string =>
  text
    .replace(DOTTED, (word) => {
      const [first = '', ...rest] = word.split('.');
      const isName = rest.length > 1 || FIRST_OF_REFERENCE.includes(first);
      return [first, ...rest.map((part) => part.replace(/^[a-z0-9]{8,}/i, (run) => masked(run, isName)))].join('.');
    })
    .replace(BARE_HALF, '***');

const masked = (run: string, isName: boolean): string =>
  /^[a-z]+$/i.test(run) && (isName || /^[a-z]+[A-Z]/.test(run)) ? run : '***';

/** Comparing with more candidates is slow, and a suggestion out of thousands is rarely right. */
const CANDIDATES_MAX = 500;

/**
 * The candidate that is most similar to `word`, with at most a quarter of its letters different; undefined if there is
 * none.
 * @experimental
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const wrongMax = Math.ceil(word.length / 4);
  if (candidates.length > CANDIDATES_MAX) return undefined;
  const ranked = candidates
    .filter((candidate) => Math.abs(candidate.length - word.length) <= wrongMax)
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && word.length > 1 && best.distance <= wrongMax ? best.candidate : undefined;
}

/**
 * `; did you mean X?` for the end of an error message; empty if no candidate is similar.
 * @stable
 */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const candidate = nearest(word, candidates);
  return candidate === undefined ? '' : `; did you mean ${candidate}?`;
}

/** The Levenshtein distance, except that two letters in the wrong order are one mistake. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next[j] = Math.min(
        (row[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
        isSwapped ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}
