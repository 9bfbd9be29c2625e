/** Runs whose terminal is closed, and terminals on which nothing can be redrawn; `script` creates the terminals. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { scratch } from '../helpers/machine.ts';
import { cli, project } from './cli.ts';

const noScript = spawnSync('script', ['--version']).status !== 0;

/** A machine and a pipeline whose steps take a while: each waits, and then writes a file. */
async function slowRun() {
  const root = await scratch();
  await mkdir(join(root, 'etc'));
  await mkdir(join(root, 'usr/bin'), { recursive: true });
  await writeFile(join(root, 'usr/bin/pause'), '#!/bin/sh\nexec sleep 0.1\n', { mode: 0o755 });
  const steps = [1, 2, 3, 4, 5].flatMap((step) => [
    `  - { id: pause${step}, uses: command, with: { argv: [pause], irreversible: nothing to undo }${needs(step - 1)} }`,
    `  - { id: file${step}, uses: file, with: { path: /etc/f${step}, content: x }, needs: [pause${step}] }`,
  ]);
  const file = join(root, 'slow.yaml');
  const head = ['apiVersion: joinery.dev/v1', 'kind: Pipeline', 'metadata: { name: slow }', 'steps:'];
  await writeFile(file, `${[...head, ...steps].join('\n')}\n`);
  return { root, args: ['run', '--pipeline', file, '--root', root] };
}
const needs = (step: number): string => (step === 0 ? '' : `, needs: [file${step}]`);

interface Terminal {
  /** Commands of a shell that prepare the terminal. */
  before?: string;
  env?: Record<string, string>;
}

/** At a terminal. CI is unset, as on the machine of a user. */
function atTerminal(args: readonly string[], { before = '', env = {} }: Terminal = {}) {
  const { CI: _, NO_COLOR: __, FORCE_COLOR: ___, ...inherited } = process.env;
  const words = [process.execPath, join(project, 'bin/join'), ...args].map((word) => `'${word}'`);
  return spawn('script', ['-qec', `${before}${words.join(' ')}`, '/dev/null'], {
    env: { ...inherited, TERM: 'xterm', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

/** Whether the process handles SIGHUP. */
async function catchesHangup(pid: number | undefined): Promise<boolean> {
  const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return (BigInt(`0x${mask}`) & 1n) === 1n;
}

describe.skipIf(noScript)(`at a terminal${noScript ? ' (skipped: script(1) is missing)' : ''}`, () => {
  const closings = Array.from({ length: 20 }, () => Math.random());

  test('a run whose terminal is closed at any moment finishes', { timeout: 240_000 }, async () => {
    const closeAt = async (moment: number) => {
      const { root, args } = await slowRun();
      const terminal = atTerminal(args);
      await once(terminal.stdout, 'data'); // the run has started
      await sleep(moment * 700);
      terminal.kill('SIGKILL'); // as when the window is closed, or the connection is lost
      await vi.waitFor(
        async () => {
          const { runs } = JSON.parse((await cli(['runs', '--root', root, '--output', 'json'])).stdout);
          expect(runs, `closed after ${moment}: ${JSON.stringify(runs)}`).toMatchObject([{ status: 'succeeded' }]);
        },
        { timeout: 60_000, interval: 500 },
      );
    };
    for (let first = 0; first < closings.length; first += 4)
      await Promise.all(closings.slice(first, first + 4).map(closeAt));
  });

  test('a run whose terminal is closed before its first step, while it still reads its inputs, finishes', async () => {
    const { root } = await slowRun();
    const head = ['apiVersion: joinery.dev/v1', 'kind: Pipeline', 'metadata: { name: early }'];
    const inputs = 'inputs: { type: object, properties: { word: { type: string, writeOnly: true } } }';
    const step = 'steps: [{ id: motd, uses: file, with: { path: /etc/motd, content: x } }]';
    const file = join(root, 'early.yaml');
    await writeFile(file, [...head, inputs, step, ''].join('\n'));
    const words = [join(project, 'bin/join'), 'run', '--pipeline', file, '--word', '-', '--root', root];
    const child = spawn(process.execPath, words, { stdio: ['pipe', 'ignore', 'ignore'] });
    await vi.waitFor(async () => expect(await catchesHangup(child.pid)).toBe(true), { timeout: 30_000, interval: 50 });
    child.kill('SIGHUP');
    child.stdin.end('secret');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('a command whose terminal is closed while it loads does not abort at its end', async () => {
    const codes = join(await scratch(), 'codes');
    const closeAfter = async (momentMs: number) => {
      const words = [process.execPath, join(project, 'bin/join'), 'run', '--pipeline', '/nonexistent'];
      const line = `trap '' HUP; echo ready; ${words.join(' ')}; echo $? >> ${codes}`;
      const terminal = spawn('script', ['-qec', line, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
      await once(terminal.stdout, 'data');
      await sleep(momentMs);
      terminal.kill('SIGKILL');
    };
    const momentsMs = [20, 60, 100, 140];
    await Promise.all(momentsMs.map(closeAfter));
    await vi.waitFor(async () => expect((await readFile(codes, 'utf8')).split('\n')).toHaveLength(5), {
      timeout: 30_000,
      interval: 100,
    });
    expect(await readFile(codes, 'utf8')).toBe('3\n'.repeat(momentsMs.length));
  });

  test.each<[string, Terminal]>([
    ['has no size', { before: 'stty rows 0 cols 0; ' }],
    ['cannot move its cursor', { env: { TERM: 'dumb' } }],
    ['belongs to a CI system', { env: { CI: '1' } }],
  ])('a terminal that %s gets plain lines', { timeout: 60_000 }, async (_, how) => {
    const { args } = await slowRun();
    const screen = await text(atTerminal(args, { ...how, env: { NO_COLOR: '1', ...how.env } }).stdout);
    expect(screen).toMatch(/✓ file5 \(.*\)\r\n/);
    expect(screen).not.toContain('\u001b');
  });
});
