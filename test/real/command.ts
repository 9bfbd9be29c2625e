/** Commands as promises: their output and their time, with a limit. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

export interface Result {
  /** The exit code; 128 + the signal's number when a signal ended the command. */
  code: number;
  stdout: string;
  stderr: string;
  ms: number;
}
export interface Options {
  env?: Record<string, string>;
  /** After this time the command is killed, and its code is 137. */
  timeoutMs?: number;
  input?: string;
}
export interface Running {
  kill(signal: NodeJS.Signals): void;
  done: Promise<Result>;
}

/** Starts a command; its `done` settles when the command has exited, even if it left other processes running. */
export function launch(argv: readonly string[], { env = {}, timeoutMs = 120_000, input = '' }: Options = {}): Running {
  const [file = '', ...args] = argv;
  const started = performance.now();
  const child = spawn(file, args, { env: { ...process.env, ...env } });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  child.stdin.on('error', () => undefined).end(input);
  const limit = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const done = new Promise<Result>((settle, fail) => {
    child.once('error', (error) => {
      clearTimeout(limit);
      fail(error);
    });
    child.once('exit', (code, signal) => {
      clearTimeout(limit);
      const result = { code: code ?? 128 + (signal ? constants.signals[signal] : 0), ms: performance.now() - started };
      const report = () => settle({ ...result, ...output });
      child.once('close', report);
      setTimeout(report, 300); // a service that was started may hold the pipes
    });
  });
  return { kill: (signal) => child.kill(signal), done };
}

/** The standard output of a command that must succeed. */
export async function must(argv: readonly string[], options?: Options): Promise<string> {
  const { code, stdout, stderr } = await launch(argv, options).done;
  if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}\n${stdout}${stderr}`);
  return stdout;
}
