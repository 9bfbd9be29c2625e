/** Documents and text from outside: read within limits, shown without surprises. */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { parseDocument } from 'yaml';
import { fail } from './errors.ts';

const DOCUMENT_BYTES_MAX = 1 << 20;
const UNPACKED_BYTES_MAX = 4 << 20;

/** Parses YAML (or JSON) that came from a server or a file. Throws an Error with one line; at most 1 MiB, and 100 aliases. */
export function parseYaml(text: string): unknown {
  if (Buffer.byteLength(text) > DOCUMENT_BYTES_MAX) throw new Error(`larger than ${DOCUMENT_BYTES_MAX} bytes`);
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: true, stringKeys: true });
  const [error] = document.errors;
  if (error !== undefined) throw new Error(clean(error.message));
  return document.toJS({ maxAliasCount: 100 });
}

/** The text in a gzip file, one byte a letter. E_FILE where it is none, or holds more than 4 MiB. */
export async function gunzipped(path: string, bytes: Buffer): Promise<string> {
  try {
    return (await promisify(gunzip)(bytes, { maxOutputLength: UNPACKED_BYTES_MAX })).toString('latin1');
  } catch (error) {
    throw fail('E_FILE', { path, what: clean((error as Error).message) }, error);
  }
}

/** One line, safe for a terminal: control characters out, cut at 500 characters. For all that a server or a child said. */
export const clean = (text: string): string =>
  text
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim()
    .slice(0, 500);

/** The candidate that `word` was probably meant to be, or undefined: at most a quarter of its letters are wrong. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && word.length > 1 && best.distance <= Math.ceil(word.length / 4)
    ? best.candidate
    : undefined;
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
