/** Starts a run in a process of its own, which does not depend on the terminal or on the caller. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { RunEvent } from '../../engine/run/run.ts';
import { DETACHED } from './detached.ts';

export interface DetachedRun {
  pid: number | undefined;
  /** The first event of the run; undefined if the process has ended without one. */
  started: RunEvent | undefined;
  exitCode: number;
}

/** Runs `join` with `argv` in a session of its own. Its output is passed on until its run has started. */
export async function startDetached(argv: readonly string[]): Promise<DetachedRun> {
  const launcher = process.argv[1] ?? '';
  const child = spawn(process.execPath, [...process.execArgv, launcher, ...argv], {
    detached: true,
    env: { ...process.env, [DETACHED]: 'yes' },
    // A process in the background may not read its terminal.
    stdio: [process.stdin.isTTY ? 'ignore' : 'pipe', 'pipe', 'pipe', 'ipc'],
  });
  child.stdout?.pipe(process.stdout, { end: false });
  child.stderr?.pipe(process.stderr, { end: false });
  if (child.stdin !== null) process.stdin.on('error', () => undefined).pipe(child.stdin.on('error', () => undefined));
  const stop = () => void child.kill('SIGINT');
  process.on('SIGINT', stop);
  const [first] = (await Promise.race([once(child, 'message'), once(child, 'close')])) as [RunEvent | number | null];
  process.off('SIGINT', stop);
  const { pid } = child;
  if (typeof first !== 'object' || first === null) return { pid, started: undefined, exitCode: first ?? 1 };
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
  process.stdin.destroy();
  if (child.connected) child.disconnect();
  return { pid, started: first, exitCode: 0 };
}
