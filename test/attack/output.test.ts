/** Output that no one reads, or that cannot be written, changes nothing about what a command does. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { run } from '../../engine/run/run.ts';
import { writes } from '../../engine/sdk/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import { cli, type Outcome, project, scene } from '../bin/cli.ts';
import { rootedMachine, scratch } from '../helpers/machine.ts';
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
    'a join succeeds, exits with 0, and leaves no secret if %s',
    async (_, script) => {
      const { args, root } = await scene();
      expect((await shell(script, args('run'))).code).toBe(0);
      expect(existsSync(join(root, 'run/joinery'))).toBe(false);
      expect((await cli(['runs', '--root', root])).stdout).toContain('succeeded');
    },
    60_000,
  );

  test('a join reports on standard error that its result could not be printed', async () => {
    const { args } = await scene();
    const { code, stderr } = await shell('exec "$@" >/dev/full', args('run', '--output', 'json'));
    expect(code).toBe(0);
    expect(stderr).toMatch(/Warning: standard output could not be written completely: no space left/);
  }, 60_000);

  test('a join that fails keeps the exit code of its error', async () => {
    const { args } = await scene();
    const wrong = args('run').map((word) => word.replace(/^sha256:.*/, `sha256:${'0'.repeat(64)}`));
    expect((await shell('exec "$@" >/dev/full 2>&1', wrong)).code).toBe(12);
  }, 60_000);
});

describe('a run', () => {
  test('a run does not depend on the view that shows it', async () => {
    const effects = [writes('/etc/*', undefined, 'x')];
    const plan = planOfSteps({ id: 'a', effects, run: ({ files }) => files.write('/etc/a', 'x', 0o644) });
    const host = memoryHost();
    const onEvent = () => {
      throw new Error('the view is broken');
    };
    const { status, error } = await run({ plan, host, onEvent });
    expect([status, error]).toEqual(['succeeded', undefined]);
  });

  /** Runs the steps at a terminal; CI is unset, as on the machine of a user. */
  async function atTerminal(root: string, steps: readonly string[]) {
    await mkdir(join(root, 'etc'));
    const file = join(root, 'pipeline.yaml');
    const head = 'apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: slow }\nsteps:\n';
    await writeFile(file, `${head}${steps.map((step) => `  - ${step}\n`).join('')}`, { mode: 0o644 });
    const { CI: _, ...env } = process.env;
    const command = [...JOIN, 'run', '--pipeline', file, '--root', root].join(' ');
    const script = `stty rows 24 cols 80; trap : HUP; ${command}; echo $? >${root}/code`;
    const terminal = spawn('script', ['-qec', script, '/dev/null'], {
      env: { ...env, TERM: 'xterm' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    onTestFinished(() => void terminal.kill('SIGKILL'));
    let screen = '';
    terminal.stdout.on('data', (chunk) => {
      screen += chunk;
    });
    return { terminal, shows: (text: string) => vi.waitFor(() => expect(screen).toContain(text), 20_000) };
  }
  const exists = (root: string, path: string) =>
    vi.waitFor(async () => expect(await readFile(join(root, path), 'utf8')).not.toBe(''), 20_000);
  const atTerminalTest = test.skipIf(noScript);
  const WRITES = '{ id: a, uses: file, with: { path: /etc/a, content: x } }';

  atTerminalTest(
    'continues when its terminal is gone, also if it was waiting for an answer there',
    async () => {
      const { root } = await rootedMachine();
      const asks = '{ id: ask, approval: { message: "Now?", deadline: 4s, onTimeout: approve } }';
      const { terminal, shows } = await atTerminal(root, [asks, WRITES]);
      await shows('Now? [yes/no]');
      terminal.kill('SIGKILL');
      await exists(root, 'code');
      expect(await readFile(join(root, 'code'), 'utf8')).toBe('0\n');
      await exists(root, 'etc/a');
    },
    60_000,
  );

  atTerminalTest(
    'continues while its terminal is stopped with Ctrl-S',
    async () => {
      const { root } = await rootedMachine({ nap: 'sleep 3' });
      const naps = '{ id: nap, uses: command, with: { argv: [nap], query: true } }';
      const { terminal, shows } = await atTerminal(root, [naps, WRITES]);
      await shows('\x1b[?25l'); // the list of steps
      terminal.stdin.write('\x13');
      await exists(root, 'etc/a');
      terminal.stdin.write('\x11');
      await exists(root, 'code');
      expect(await readFile(join(root, 'code'), 'utf8')).toBe('0\n');
    },
    60_000,
  );
});

test('a command that changes something keeps its exit code if it cannot print what it did', async () => {
  const [folder, root] = [await scratch(), await scratch()];
  const file = join(folder, 'old.yaml');
  const head = 'apiVersion: kubeadm.k8s.io/v1beta2\nkind: JoinConfiguration\ndiscovery:\n  bootstrapToken:\n';
  await writeFile(
    file,
    `${head}    token: abcdef.0123456789abcdef\n    apiServerEndpoint: 10.0.0.1:6443\n    unsafeSkipCAVerification: true\n`,
  );
  const migrate = ['config', 'migrate', '--old-config', file, '--new-config', join(folder, 'new.yaml')];
  for (const args of [migrate, ['runs', 'prune', '--root', root]]) {
    const { code, stderr } = await shell('exec "$@" >/dev/full', args);
    expect([code, stderr]).toEqual([0, expect.stringContaining('Warning: standard output could not be written')]);
  }
  expect(existsSync(join(folder, 'new.yaml'))).toBe(true);
});

describe('a command that is run for its output', () => {
  const COMMANDS = ['pipeline explain', 'pipeline show --output json', 'config print-defaults', 'token generate', '-h'];

  test.each(COMMANDS)('a command that prints its result fails if standard output is a full disk: %s', async (line) => {
    const { code, stderr } = await shell('exec "$@" >/dev/full', line.split(' '));
    expect([code, stderr]).toEqual([6, expect.stringContaining('E_STDOUT: standard output could not be written')]);
  });

  test('a command that prints its result fails if only a part of its output could be written', async () => {
    const file = join(await scratch(), 'schema.json');
    const { code, stderr } = await shell(`ulimit -f 1; exec "$@" >${file}`, ['pipeline', 'schema']);
    expect([code, stderr]).toEqual([6, expect.stringContaining('E_STDOUT')]);
  });

  test('a command that prints its result succeeds if its reader needs no more of it', async () => {
    const script = '"$@" | head -c 10; exit $PIPESTATUS';
    expect(await shell(script, ['pipeline', 'schema'])).toMatchObject({ code: 0, stderr: '' });
  });

  test('a command that prints its result writes all of it to a reader that pauses for 12 s', async () => {
    const whole = (await cli(['pipeline', 'schema'])).stdout;
    const late = await shell('"$@" | { sleep 12; cat; }; exit $PIPESTATUS', ['pipeline', 'schema']);
    expect([late.code, late.stdout === whole, whole.length > 65_536]).toEqual([0, true, true]);
  }, 60_000);
});
