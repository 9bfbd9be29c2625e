/** Output that no one reads, or that cannot be written, changes nothing about what a command does. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { run } from '../../engine/run/run.ts';
import { writes } from '../../engine/sdk/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import { cli, type Outcome, project, scene } from '../bin/cli.ts';
import { scratch } from '../helpers/machine.ts';
import { planOfSteps } from '../helpers/plans.ts';

const noScript = spawnSync('script', ['--version']).status !== 0;
const JOIN = [process.execPath, join(project, 'bin/join')];

/** Runs `"$@"` of a shell's script as the command with these arguments. */
async function shell(script: string, args: readonly string[]): Promise<Outcome> {
  const child = spawn('bash', ['-c', script, 'bash', ...JOIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: code as number | null, stdout, stderr };
}

const READERS = {
  'the reader of standard error leaves': '"$@" 2> >(sleep 0.4); exit $?',
  'the reader of both leaves after a line': '"$@" 2>&1 | head -1 >/dev/null; exit $PIPESTATUS',
  'no one reads standard output': '"$@" | true; exit $PIPESTATUS',
  'standard error is a full disk': 'exec "$@" 2>/dev/full',
  'standard output is a full disk': 'exec "$@" >/dev/full',
  'both are a full disk': 'exec "$@" >/dev/full 2>&1',
  'both are closed': 'exec "$@" >&- 2>&-',
};

describe('a join', () => {
  test.each(Object.entries(READERS))(
    'succeeds, exits with 0, and leaves no secret if %s',
    async (_, script) => {
      const { args, root } = await scene();
      expect((await shell(script, args('run'))).code).toBe(0);
      expect(existsSync(join(root, 'run/joinery'))).toBe(false);
      expect((await cli(['runs', '--root', root])).stdout).toContain('succeeded');
    },
    60_000,
  );

  test('says on standard error that its result could not be printed', async () => {
    const { args } = await scene();
    const { code, stderr } = await shell('exec "$@" >/dev/full', args('run', '--output', 'json'));
    expect(code).toBe(0);
    expect(stderr).toMatch(/Warning: standard output could not be written completely: ENOSPC/);
  }, 60_000);

  test('that fails keeps the exit code of its error', async () => {
    const { args } = await scene();
    const wrong = args('run').map((word) => word.replace(/^sha256:.*/, `sha256:${'0'.repeat(64)}`));
    expect((await shell('exec "$@" >/dev/full 2>&1', wrong)).code).toBe(12);
  }, 60_000);
});

describe('a run', () => {
  test('does not depend on the view that shows it', async () => {
    const effects = [writes('/etc/*', undefined, 'x')];
    const plan = planOfSteps({ id: 'a', effects, run: ({ files }) => files.write('/etc/a', 'x', 0o644) });
    const host = memoryHost();
    const onEvent = () => {
      throw new Error('the view is broken');
    };
    const { status, error } = await run({ plan, host, onEvent });
    expect([status, error]).toEqual(['succeeded', undefined]);
  });

  test.skipIf(noScript)(
    'continues when its terminal is gone, also if it was waiting for an answer there',
    async () => {
      const root = await scratch();
      for (const folder of ['etc', 'run']) await mkdir(join(root, folder));
      const file = join(root, 'pipeline.yaml');
      const steps = [
        '  - { id: ask, approval: { message: "Now?", deadline: 4s, onTimeout: approve } }',
        '  - { id: a, uses: file, needs: [ask], with: { path: /etc/a, content: x } }',
      ];
      const head = 'apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: asks }\nsteps:\n';
      await writeFile(file, head + steps.join('\n'), { mode: 0o644 });
      const { CI: _, ...env } = process.env;
      const command = `trap : HUP; ${JOIN.join(' ')} run --pipeline ${file} --root ${root}; echo $? >${root}/code`;
      const terminal = spawn('script', ['-qec', command, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
      let screen = '';
      for await (const chunk of terminal.stdout) {
        screen += chunk;
        if (screen.includes('Now? [yes/no]')) break;
      }
      terminal.kill('SIGKILL');
      for (let tries = 0; tries < 200 && !existsSync(join(root, 'code')); tries++) await sleep(100);
      expect([await readFile(join(root, 'code'), 'utf8'), await readdir(join(root, 'etc'))]).toEqual(['0\n', ['a']]);
    },
    60_000,
  );
});

describe('a command that is run for its output', () => {
  const COMMANDS = ['pipeline explain', 'pipeline show --output json', 'config print-defaults', 'token generate', '-h'];

  test.each(COMMANDS)('fails if standard output is a full disk: %s', async (line) => {
    const { code, stderr } = await shell('exec "$@" >/dev/full', line.split(' '));
    expect([code, stderr]).toEqual([6, expect.stringContaining('E_STDOUT: standard output could not be written')]);
  });

  test('fails if only a part of its output could be written', async () => {
    const file = join(await scratch(), 'schema.json');
    const { code, stderr } = await shell(`ulimit -f 1; exec "$@" >${file}`, ['pipeline', 'schema']);
    expect([code, stderr]).toEqual([6, expect.stringContaining('E_STDOUT')]);
  });

  test('succeeds if its reader needs no more of it', async () => {
    const script = '"$@" | head -c 10; exit $PIPESTATUS';
    expect(await shell(script, ['pipeline', 'schema'])).toMatchObject({ code: 0, stderr: '' });
  });

  test('gives a reader that pauses for 12 s all of it', async () => {
    const whole = (await cli(['pipeline', 'schema'])).stdout;
    const late = await shell('"$@" | { sleep 12; cat; }; exit $PIPESTATUS', ['pipeline', 'schema']);
    expect([late.code, late.stdout === whole, whole.length > 65_536]).toEqual([0, true, true]);
  }, 60_000);
});
