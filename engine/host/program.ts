/** Runs a program to its end, within limits of time and output. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { errnoReason } from '../limits/errno.ts';
import { startTimer } from '../limits/timers.ts';
import { defined } from '../sdk/fields.ts';
import type { CommandResult } from '../sdk/ports.ts';

export interface ProgramOptions {
  directory: string | undefined;
  environment: Record<string, string>;
  timeMs: number;
  /** Of standard output, and as many of standard error. */
  outputBytes: number;
  signal: AbortSignal;
  /** Standard input: a text, or the descriptor of an open file (default: empty). */
  stdin?: string | number;
  /** Gets each line of standard output as it comes. The result then has no standard output. */
  onLine?: (line: string) => void;
}

/** Why a program has no exit code. */
export class ProgramFailure extends Error {}

/** SIGHUP ended the program before it printed anything. */
class HungUp extends ProgramFailure {}

/**
 * Resolves for any exit code. Throws a `ProgramFailure`, or the reason of `signal`.
 *
 * The program has a session of its own, so that a terminal that is closed does not end it. If the terminal is closed
 * in the instant before that, SIGHUP ends the new process before it is the program. Then it is started again, once.
 */
export async function runProgram(path: string, args: string[], options: ProgramOptions): Promise<CommandResult> {
  try {
    return await runOnce(path, args, options);
  } catch (error) {
    if (!(error instanceof HungUp)) throw error;
    return runOnce(path, args, options);
  }
}

/** If the program has to end, so do its children. */
async function runOnce(path: string, args: string[], options: ProgramOptions): Promise<CommandResult> {
  const { directory: cwd, environment: env, timeMs, outputBytes, signal, stdin = '', onLine } = options;
  signal.throwIfAborted();
  const child = spawnAlone(path, args, { ...defined({ cwd }), env, stdin: typeof stdin === 'number' ? stdin : 'pipe' });
  let cause: unknown;
  const end = (why: unknown): void => {
    cause ??= why;
    if (child.pid !== undefined) killGroup(child.pid);
    for (const stream of [child.stdout, child.stderr]) stream?.destroy(); // a process elsewhere may hold them open
  };
  const stop = () => end(signal.reason);
  const timer = startTimer(timeMs, () => end(new ProgramFailure(`not done after ${timeMs / 1000} s`)));
  signal.addEventListener('abort', stop, { once: true });
  child.stdin?.on('error', () => undefined).end(stdin); // without an end, a reader would wait for its time limit
  const tooMuch = () => end(new ProgramFailure(`it printed more than ${outputBytes} bytes`));
  const stdout = onLine === undefined ? collect(child.stdout, outputBytes, tooMuch) : undefined;
  if (onLine !== undefined) passLines(child.stdout, { bytesMax: outputBytes, tooMuch, onLine });
  const stderr = collect(child.stderr, outputBytes, tooMuch);
  try {
    const [exitCode, killedBy] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once('error', reject).once('close', (...ending) => resolve(ending));
    });
    if (cause !== undefined) throw cause;
    const output = { stdout: stdout?.() ?? '', stderr: stderr() };
    if (exitCode !== null) return { exitCode, ...output };
    const isHungUp = killedBy === 'SIGHUP' && output.stdout + output.stderr === '';
    throw new (isHungUp ? HungUp : ProgramFailure)(`it was ended by the signal ${killedBy}`);
  } catch (error) {
    throw cause ?? notStarted(error);
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', stop);
  }
}

/**
 * Node reports some failures to start a program by an event, and others, such as too long arguments, at once. Without
 * free descriptors, the process has no streams.
 */
function spawnAlone(
  path: string,
  args: string[],
  { stdin, ...options }: { cwd?: string; env: Record<string, string>; stdin: number | 'pipe' },
): ChildProcess {
  try {
    return spawn(path, args, { ...options, detached: true, stdio: [stdin, 'pipe', 'pipe'] });
  } catch (error) {
    throw notStarted(error);
  }
}

const notStarted = (error: unknown): unknown => {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? new ProgramFailure(errnoReason(error) ?? code, { cause: error }) : error;
};

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL'); // a program may ignore SIGTERM
  } catch {
    // it has ended
  }
}

/** Returns a function that returns the text so far. */
function collect(stream: Readable | null | undefined, bytesMax: number, tooMuch: () => void): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream
    ?.on('error', () => undefined)
    .on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMax) tooMuch();
      else chunks.push(chunk);
    });
  return () => Buffer.concat(chunks).toString('utf8');
}

interface LineLimit {
  /** Of all lines together. */
  bytesMax: number;
  tooMuch: () => void;
  onLine: (line: string) => void;
}

/** A last line without an end is passed on, too. */
function passLines(stream: Readable | null | undefined, { bytesMax, tooMuch, onLine }: LineLimit): void {
  const decoder = new StringDecoder('utf8'); // two chunks may share a character
  let [rest, bytes] = ['', 0];
  stream
    ?.on('error', () => undefined)
    .on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMax) return tooMuch();
      const [first = '', ...more] = decoder.write(chunk).split('\n');
      const lines = [rest + first, ...more];
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    })
    .on('end', () => (rest === '' ? undefined : onLine(rest)));
}
