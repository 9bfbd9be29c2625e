/** The retired names that docs/glossary.md lists in its last column, each with the term that replaced it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../helpers/sources.ts';

export interface Term {
  term: string;
  meaning: string;
  replaces: string[];
}

export function readTerms(text: string): Term[] {
  return [...text.matchAll(/^\| (?!term \|)([^|]+) \| ([^|]+) \| ?([^|]*)\|$/gm)].map(
    ([, term = '', meaning = '', replaces = '']) => ({
      term,
      meaning,
      replaces: [...replaces.matchAll(/`(\w+)`/g)].map(([, word = '']) => word),
    }),
  );
}

export const TERMS = readTerms(readFileSync(join(PROJECT, 'docs/glossary.md'), 'utf8'));

const termFor = (isReplaced: (word: string) => boolean): string | undefined =>
  TERMS.filter(({ replaces }) => replaces.some(isReplaced))
    .map(({ term }) => term)
    .join(', or ') || undefined;
const wordsOf = (name: string): string[] => name.split(/(?=[A-Z])|_/).map((word) => word.toLowerCase());
const isWord = (retired: string): boolean => /^[a-z]+$/.test(retired);

/** The term for a retired name; a retired word counts in every name that it is part of. */
export function replacementOf(name: string): string | undefined {
  const words = wordsOf(name);
  return termFor((retired) =>
    isWord(retired) ? words.includes(retired) : retired.toLowerCase() === name.toLowerCase(),
  );
}
