/** Patterns of pipelines and plugins. RE2 takes time linear in the text, whatever the pattern; RegExp may never end. */
import { re2Library } from './re2-library.ts';

const LENGTH_MAX = 500;

export interface Pattern {
  /** Whether it matches any part of the text. */
  test(text: string): boolean;
}

/** Throws an Error if RE2 does not support the pattern. */
export function compilePattern(pattern: string): Pattern {
  if (pattern.length > LENGTH_MAX) throw new Error(`a pattern can have at most ${LENGTH_MAX} characters`);
  const compiled = re2Library().compile(pattern);
  return { test: (text) => compiled.matcher(text).find() };
}
