import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { PROJECT } from '../helpers/sources.ts';

const OPENS = /Debugger listening|Starting inspector/;
let child: ChildProcess | undefined;
afterEach(() => void child?.kill('SIGKILL'));

/** `join` as it waits on standard input, and what it has written to standard error. */
function waiting(env: NodeJS.ProcessEnv = {}): { child: ChildProcess; lines: string[] } {
  child = spawn(process.execPath, ['bin/join.cjs', 'config', 'validate', '-'], {
    cwd: PROJECT,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const lines: string[] = [];
  if (child.stderr !== null) createInterface(child.stderr).on('line', (line) => lines.push(line));
  return { child, lines };
}

describe('the debugger of Node', () => {
  test('the debugger of Node does not open on SIGUSR1', async () => {
    const { child, lines } = waiting();
    await sleep(2_000); // until the handler is there: before it, the signal belongs to Node
    child.kill('SIGUSR1');
    await sleep(1_000);
    expect(child.exitCode).toBeNull();
    child.stdin?.end();
    await once(child, 'exit');
    expect(lines.join('\n')).not.toMatch(OPENS);
  });

  test('the debugger of Node is closed if NODE_OPTIONS opened it', async () => {
    const port = 40_000 + (process.pid % 20_000);
    const { child, lines } = waiting({ NODE_OPTIONS: `--inspect=127.0.0.1:${port}` });
    while (!lines.some((line) => OPENS.test(line))) await sleep(50);
    const isOpen = () =>
      fetch(`http://127.0.0.1:${port}/json/version`).then(
        () => true,
        () => false,
      );
    const endMs = Date.now() + 10_000;
    while ((await isOpen()) && Date.now() < endMs) await sleep(100);
    expect(await isOpen()).toBe(false);
    expect(child.exitCode).toBeNull();
  });
});
