/** An error as text: code, message, hint. An error without a code is a bug, and is printed in full. */
import { didYouMean, EXIT, isJoinError, JoinError, type Problem, printable } from '../../engine/sdk/index.ts';
import { maskTokens } from '../../engine/sdk/text.ts';
import { VERBOSE } from '../inputs/raw-flags.ts';
import { asItIs, type HintText } from './continuation.ts';

/**
 * Masks whole bootstrap tokens in a complete output. Texts that quote a document were already masked by `maskTokens`,
 * which also masks parts of tokens. It would mask host names here.
 */
export const withoutTokens = (text: string): string => text.replace(/\b([a-z0-9]{6})\.[a-z0-9]{16}\b/g, '$1.***');

export interface ErrorOptions {
  version: string;
  verbosity?: number;
  hint?: HintText;
}

export function errorText(error: unknown, { version, verbosity = 0, hint = asItIs }: ErrorOptions): string {
  const causes = verbosity >= VERBOSE ? causesOf(error) : [];
  return printable(withoutTokens([wordsOf(error, version, hint), ...causes].join('\n')));
}

function causesOf(error: unknown): string[] {
  const { cause } = (error ?? {}) as { cause?: unknown };
  return cause instanceof Error ? [`  caused by: ${cause.name}: ${cause.message}`, ...causesOf(cause)] : [];
}

function wordsOf(error: unknown, version: string, hint: HintText): string {
  if (isJoinError(error)) {
    const where = error.step === undefined ? '' : ` in step ${error.step}`;
    // The message of a check list contains hints, too.
    const text = framed(error) ?? error.message.replace(/^ *→ .*$/gm, hint);
    // Several problems go below the code, each on its own line.
    const message = text.includes('\n') ? `\n${text.replace(/^(?=.)/gm, '  ')}` : ` ${text}`;
    return `\n${error.code}${where}:${message}\n  → ${hint(error.hint)}`;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const versions = `joinery ${version}, node ${process.version}, ${process.platform} ${process.arch}`;
  return [
    `\nThis is a bug in Joinery, not a mistake of yours (${versions}):`,
    stack,
    '  → Please report it with the lines above.',
  ].join('\n');
}

/** Each problem of a document with its lines; undefined if no problem has any. */
function framed({ facts }: JoinError): string | undefined {
  const problems = 'problems' in facts ? (facts.problems as readonly (Problem | string)[]) : [];
  const placed = problems.filter((problem) => typeof problem !== 'string');
  if (!placed.some(({ frame }) => frame !== undefined)) return undefined;
  return placed
    .map(({ file, line, column, message, frame = '' }) =>
      [`${file}:${line}:${column}: ${message}`, frame.replace(/^/gm, '  ')].join('\n'),
    )
    .join('\n\n');
}

export function exitCodeOf(error: unknown): number {
  if (error === undefined) return 0;
  return isJoinError(error) ? error.exitCode : EXIT.bug;
}

/** oclif's own errors about flags and arguments become E_USAGE; others stay as they are. */
export function withUsageError(error: Error): unknown {
  if (isJoinError(error) || !('oclif' in error)) return error;
  return usageError(usageMessage(error));
}

export const usageError = (message: string): JoinError =>
  JoinError.own({
    code: 'E_USAGE',
    message: maskTokens(message),
    hint: 'Add --help to see the arguments and flags of the command.',
    exitCode: EXIT.usage,
  });

interface ParserError extends Error {
  /** Unknown flags. */
  flags?: unknown;
  /** Unexpected arguments, or the declarations of missing ones. */
  args?: readonly (string | { name: string; description?: string })[];
  parse?: { input?: { flags?: object } };
}

function usageMessage({ message, flags, args, parse }: ParserError): string {
  const known = Object.keys(parse?.input?.flags ?? {}).map((name) => `--${name}`);
  if (Array.isArray(flags))
    return flags.map((flag) => `unknown flag ${flag}${didYouMean(String(flag), known)}`).join('\n');
  if (Array.isArray(args)) return args.map(argumentMessage).join('\n');
  const [text = ''] = message.split('\nSee more help');
  return text
    .replace(/^Flag (--\S+) expects a value$/, '$1 needs a value')
    .replace(/^Parsing (--\S+)\s+/, '$1: ')
    .replace(/Expected an integer but received: /, 'it must be a whole number, not ');
}

function argumentMessage(argument: string | { name: string; description?: string }): string {
  if (typeof argument === 'string') return `unexpected argument ${argument}`;
  const { name, description } = argument;
  return `${name.toUpperCase()} is missing${description === undefined ? '' : `: ${description}`}`;
}
