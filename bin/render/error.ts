/** An error as a person reads it: code, fact, what to type next. A bug is printed whole, with how to report it. */
import { isJoinError, type JoinError, type Problem, printable } from '../../engine/sdk/index.ts';

/** A bootstrap token without its secret half: what was typed in the wrong place is quoted in errors. */
export const withoutTokens = (text: string): string => text.replace(/\b([a-z0-9]{6})\.[a-z0-9]{16}\b/g, '$1.***');

/** With a `verbosity` from which on kubeadm shows a stack trace, all that the error came from is told. */
export const errorText = (error: unknown, version: string, verbosity = 0): string =>
  printable(withoutTokens([wordsOf(error, version), ...(verbosity >= 5 ? causesOf(error) : [])].join('\n')));

function causesOf(error: unknown): string[] {
  const { cause } = (error ?? {}) as { cause?: unknown };
  return cause instanceof Error ? [`  because: ${cause.name}: ${cause.message}`, ...causesOf(cause)] : [];
}

function wordsOf(error: unknown, version: string): string {
  if (isJoinError(error)) {
    const where = error.step === undefined ? '' : ` in step ${error.step}`;
    // Several problems at once stand below the code, each on its line.
    const said = framed(error) ?? error.message;
    const message = said.includes('\n') ? `\n${said.replace(/^(?=.)/gm, '  ')}` : ` ${said}`;
    return `\n${error.code}${where}:${message}\n  → ${error.hint}`;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const versions = `joinery ${version}, node ${process.version}, ${process.platform} ${process.arch}`;
  return `\nThis is a bug in Joinery, not in what you typed (${versions}):\n${stack}\n  → Please report it with the lines above.`;
}

/** Each problem of a document with the lines it is about; undefined where there are none to show. */
function framed({ facts }: JoinError): string | undefined {
  const problems = 'problems' in facts ? (facts.problems as readonly (Problem | string)[]) : [];
  const told = problems.flatMap((problem) => (typeof problem === 'string' ? [] : [problem]));
  if (!told.some(({ frame }) => frame !== undefined)) return undefined;
  return told
    .map(({ file, line, column, message, frame = '' }) =>
      [`${file}:${line}:${column}: ${message}`, frame.replace(/^/gm, '  ')].join('\n'),
    )
    .join('\n\n');
}
