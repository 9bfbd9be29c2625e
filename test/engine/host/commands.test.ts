import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Change } from '../../../engine/host/changes/index.ts';
import { MachineCommands } from '../../../engine/host/commands.ts';
import type { Host } from '../../../engine/host/host.ts';
import { fail } from '../../../engine/sdk/index.ts';
import { joinErrorOf, thrownBy } from '../../helpers/errors.ts';
import { rootedMachine } from '../../helpers/machine.ts';

const SIGNAL = new AbortController().signal;
const CANARY = 'canary-51c0';

describe('commands of a machine', () => {
  const output = async (host: Host, ...argv: string[]) => host.read<'output'>({ kind: 'output', argv }, SIGNAL);

  test('a program is found on the PATH of the machine, and below a root only there', async () => {
    const { root, host } = await rootedMachine({ kubelet: 'true' });
    await writeFile(join(root, 'usr/bin/data'), 'not executable', { mode: 0o644 });
    expect(await host.read({ kind: 'program', name: 'kubelet' }, SIGNAL)).toBe(join(root, 'usr/bin/kubelet'));
    expect(await host.read({ kind: 'program', name: 'data' }, SIGNAL)).toBeUndefined();
    expect(await host.read({ kind: 'program', name: 'sh' }, SIGNAL)).toBeUndefined();
    expect(await joinErrorOf(() => output(host, 'sh'))).toMatchObject({
      code: 'E_COMMAND_FAILED',
      message: 'sh failed: no sh on PATH',
    });
  });

  test('a program that SIGHUP ends before it prints anything is started again, but only once', async () => {
    const hangUps = (times: number) =>
      `echo x >> "$JOINERY_ROOT/starts"; [ $(wc -l < "$JOINERY_ROOT/starts") -gt ${times} ] || kill -HUP $$; echo on`;
    const { host } = await rootedMachine({ once: hangUps(1) });
    expect((await output(host, 'once')).stdout).toBe('on\n');
    const { host: other } = await rootedMachine({ twice: hangUps(2) });
    expect(await joinErrorOf(() => output(other, 'twice'))).toMatchObject({
      message: 'twice failed: it was ended by the signal SIGHUP',
    });
  });

  test('a command gets a small environment, and nothing from Joinery’s own', async () => {
    process.env.JOINERY_TEST_CANARY = CANARY;
    onTestFinished(() => {
      delete process.env.JOINERY_TEST_CANARY;
    });
    const { root, host } = await rootedMachine({ show: 'env' });
    const { stdout } = await output(host, 'show');
    const names = stdout
      .split('\n')
      .map((line) => line.split('=')[0] ?? '')
      .filter((name) => !['', '_', 'PWD', 'SHLVL', 'OLDPWD'].includes(name));
    expect(names.sort()).toEqual(['HOME', 'JOINERY_ROOT', 'LANG', 'PATH']);
    expect(stdout).toContain(`JOINERY_ROOT=${root}\n`);
    expect(stdout).toContain('LANG=C\n');
    expect(stdout).not.toContain(CANARY);
  });

  test('a query returns exit code and output; a command that changes the machine must exit 0', async () => {
    const { host } = await rootedMachine({ fails: 'echo out; echo "wrong $1" >&2; exit 3' });
    expect(await output(host, 'fails', 'a b')).toEqual({ exitCode: 3, stdout: 'out\n', stderr: 'wrong a b\n' });
    const change: Change = { kind: 'command', argv: ['fails', 'x'], undo: undefined, irreversible: 'y' };
    expect(await joinErrorOf(() => host.apply(change, SIGNAL))).toMatchObject({
      code: 'E_COMMAND_FAILED',
      facts: { command: 'fails x', exitCode: 3, output: 'wrong x' },
    });
  });

  test('a command may print 1 MiB and no more', async () => {
    const { host } = await rootedMachine({ prints: 'head -c "$1" /dev/zero | tr "\\\\0" x' });
    expect((await output(host, 'prints', String(1 << 20))).stdout).toHaveLength(1 << 20);
    expect(await joinErrorOf(() => output(host, 'prints', String((1 << 20) + 1)))).toMatchObject({
      code: 'E_COMMAND_FAILED',
      message: `prints ${(1 << 20) + 1} failed: it printed more than ${1 << 20} bytes`,
    });
  });

  test('a command is killed after its time limit, even if it ignores SIGTERM', async () => {
    const { root } = await rootedMachine({ deaf: "trap '' TERM; while :; do sleep 0.05; done" });
    const begun = performance.now();
    const error = await joinErrorOf(() => new MachineCommands(root, 200).run(['deaf'], SIGNAL));
    expect([error.code, error.message]).toEqual(['E_COMMAND_FAILED', 'deaf failed: not done after 0.2 s']);
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  test('a command has a session of its own, so that a terminal that is closed does not end it', async () => {
    const { host } = await rootedMachine({ session: 'cut -d " " -f 1,6 /proc/$$/stat' });
    const [pid, session] = (await output(host, 'session')).stdout.trim().split(' ');
    expect(session).toBe(pid);
  });

  test('the children of a command end with it', async () => {
    const { root } = await rootedMachine({ parent: 'sleep 60 & echo $! > "$1"; wait' });
    const file = join(root, 'child');
    await joinErrorOf(() => new MachineCommands(root, 300).run(['parent', file], SIGNAL));
    const state = `/proc/${(await readFile(file, 'utf8')).trim()}/stat`;
    await vi.waitFor(async () => {
      expect(await readFile(state, 'utf8').catch(() => ' Z ')).toContain(' Z '); // gone, or not yet reaped
    });
  });

  test('a command ends with its attempt, with the same reason', async () => {
    const { host } = await rootedMachine({ slow: 'sleep 60' });
    const attempt = new AbortController();
    const reason = fail('E_CANCELLED', { signal: 'SIGINT' });
    setTimeout(() => attempt.abort(reason), 50);
    expect(await thrownBy(() => host.read({ kind: 'output', argv: ['slow'] }, attempt.signal))).toBe(reason);
  });
});
