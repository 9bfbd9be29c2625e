/** Patterns of pipelines and plugins. RE2 takes time linear in the text, whatever the pattern; RegExp may never end. */
import { clean } from '../sdk/text.ts';
import { re2Library } from './re2-library.ts';

const LENGTH_MAX = 500;
const QUOTED_MAX = 100;

export interface Pattern {
  /** Whether it matches any part of the text. */
  test(text: string): boolean;
}

/** A pattern that RE2 does not support. The message is ours. */
export class PatternError extends Error {}

/** Throws a PatternError that says which part of the pattern RE2 does not support, and why. */
export function compilePattern(pattern: string): Pattern {
  if (pattern.length > LENGTH_MAX) throw new PatternError(`a pattern can have at most ${LENGTH_MAX} characters`);
  try {
    const compiled = re2Library().compile(pattern);
    return { test: (text) => compiled.matcher(text).find() };
  } catch (error) {
    throw new PatternError(patternProblem(pattern, error as { error?: string; input?: string | null }));
  }
}

/** `error` is the library's short name of what is wrong, `input` the part of the pattern, or all of it. */
function patternProblem(pattern: string, { error = '', input }: { error?: string; input?: string | null }): string {
  const part = typeof input === 'string' && input !== '' && input !== pattern ? input : undefined;
  const isUnique = part !== undefined && pattern.indexOf(part) === pattern.lastIndexOf(part);
  const at = isUnique && pattern.includes(part) ? ` at character ${pattern.indexOf(part) + 1}` : '';
  const where = part === undefined ? '' : `: ${part.slice(0, QUOTED_MAX)}${at}`;
  const why = PROBLEMS[error] ?? 'it is not valid';
  return clean(`RE2 does not support the pattern ${pattern.slice(0, QUOTED_MAX)}: ${why}${where}`);
}

const PROBLEMS: Record<string, string | undefined> = {
  'invalid character class range': 'a range or class of characters is not valid',
  'invalid escape sequence': 'RE2 has no such escape',
  'invalid named capture': 'the name of a group is not valid',
  'invalid or unsupported Perl syntax': 'groups of this kind do not exist',
  'invalid nested repetition operator': 'a repetition is repeated',
  'invalid repeat count': 'a repetition has the wrong bounds (at most 1000)',
  'missing closing ]': 'a [ is not closed',
  'missing closing )': 'a ( is not closed',
  'missing argument to repetition operator': 'a repetition has nothing to repeat',
  'trailing backslash at end of expression': 'a \\ stands at the end',
  'duplicate capture group name': 'two groups have the same name',
  'unexpected )': 'a ) closes no group',
  'expression nests too deeply': 'it is nested too deeply',
  'expression too large': 'it is too large',
  'invalid capture in lookbehind': 'a group cannot stand in a lookbehind',
};
