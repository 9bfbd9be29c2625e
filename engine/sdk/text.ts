/** Documents and text from outside: read within limits, shown without surprises. */
import { CST, Parser, parseDocument } from 'yaml';

/** Forty times what a cluster-info or a KubeletConfiguration has; the slowest text of that size takes a second. */
const DOCUMENT_BYTES_MAX = 128 << 10;
const DEPTH_MAX = 64;
const KEYS_MAX = 5_000;
const ALIASES_MAX = 100;

/** Parses YAML (or JSON) that came from a server or a file. Throws an Error with one line. */
export function parseYaml(text: string): unknown {
  const excess = excessOf(text, DOCUMENT_BYTES_MAX);
  if (excess !== undefined) throw new Error(excess);
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: true, stringKeys: true });
  const [error] = document.errors;
  try {
    if (error !== undefined) throw error;
    return document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (reason) {
    throw new Error(clean((reason as Error).message)); // it quotes the document
  }
}

/**
 * Why a document must not be parsed, or undefined. Parsing goes down with its depth, and may end the process there; and
 * it compares every key of a mapping with all others.
 */
export function excessOf(text: string, bytesMax: number): string | undefined {
  if (Buffer.byteLength(text) > bytesMax) return `larger than ${bytesMax} bytes`;
  const left = [...new Parser().parse(text)].map((token) => ({ token, depth: 0 }));
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { token, depth } = next;
    if (depth > DEPTH_MAX) return `nested deeper than ${DEPTH_MAX} levels`;
    if (token.type === 'document' && token.value !== undefined) left.push({ token: token.value, depth });
    if (!CST.isCollection(token)) continue;
    if (token.type !== 'block-seq' && token.items.length > KEYS_MAX) return `more than ${KEYS_MAX} keys side by side`;
    for (const { key, value } of token.items)
      for (const inner of [key, value]) if (inner) left.push({ token: inner, depth: depth + 1 });
  }
  return undefined;
}

/** What a terminal obeys, hides or turns round: controls, formats, halves of letters, separators of lines and paragraphs. */
const UNPRINTABLE = '[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}]';
const RUN = new RegExp(`${UNPRINTABLE}+`, 'gu');
const ALL_BUT_NEW_LINE = new RegExp(`(?!\n)${UNPRINTABLE}`, 'gu');

/** One line, safe for a terminal, cut at 500 characters. For all that a server or a child said. */
export const clean = (text: string): string => text.replace(RUN, ' ').trim().slice(0, 500);

/** Lines, safe for a terminal: `instead` of each character that is not. For all that is shown in the end, whoever said it. */
export const printable = (text: string, instead: (character: string) => string = () => ' '): string =>
  text.replace(ALL_BUT_NEW_LINE, instead);

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
