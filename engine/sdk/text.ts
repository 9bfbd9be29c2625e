/** Text from outside, shown without surprises, and names that were mistyped. */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { fail } from './errors.ts';

const UNPACKED_BYTES_MAX = 4 << 20;

/** What a terminal obeys, hides or turns round: controls, formats, halves of letters, separators of lines and paragraphs. */
const UNPRINTABLE = '[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}]';
const RUN = new RegExp(`${UNPRINTABLE}+`, 'gu');
const ALL_BUT_NEW_LINE = new RegExp(`(?!\n)${UNPRINTABLE}`, 'gu');

/** The text in a gzip file, one byte a letter. E_FILE where it is none, or holds more than 4 MiB. */
export async function gunzipText(path: string, bytes: Buffer): Promise<string> {
  try {
    return (await promisify(gunzip)(bytes, { maxOutputLength: UNPACKED_BYTES_MAX })).toString('latin1');
  } catch (error) {
    throw fail('E_FILE', { path, what: clean((error as Error).message) }, error);
  }
}

/** One line, safe for a terminal, cut at 500 characters. For all that a server or a child said. */
export const clean = (text: string): string => text.replace(RUN, ' ').trim().slice(0, 500);

/** Lines, safe for a terminal: `instead` of each character that is not. For all that is shown in the end, whoever said it. */
export const printable = (text: string, instead: (character: string) => string = () => ' '): string =>
  text.replace(ALL_BUT_NEW_LINE, instead);

/** A value of a document as one line. `String()` would call what a document may have put into `toString`. */
export const valueText = (value: unknown): string =>
  clean(typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined'));

/** Nobody is helped by one of thousands, and comparing with them all takes minutes where many words are wrong. */
const CANDIDATES_MAX = 500;

/** The candidate that `word` was probably meant to be, or undefined: at most a quarter of its letters are wrong. */
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

/** `; did you mean X?`, or nothing: for the end of an error message. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const meant = nearest(word, candidates);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(
        (row[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}
