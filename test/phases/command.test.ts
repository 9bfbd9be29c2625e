import { describe, expect, test } from 'vitest';
import { recordingHost } from '../../engine/host/recording.ts';
import { type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import command from '../../phases/command/index.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { rootedMachine } from '../helpers/machine.ts';

const input = (overrides: Record<string, unknown>) => ({
  query: false,
  timeoutSeconds: 30,
  outputKib: 64,
  ...overrides,
});
const machine = (): MemoryMachine => ({
  outputs: { 'wg show wg0': { exitCode: 1, stderr: 'no such device' }, 'uname -r': { stdout: '6.1.0\n' } },
});

itKeepsThePhaseContract(command, {
  input: {
    argv: ['wg-quick', 'up', 'wg0'],
    undo: ['wg-quick', 'down', 'wg0'],
    creates: '/run/wg0',
    environment: { WG_KEY: 'canary-key-0123' },
  },
  machine,
  afterwards: (host) =>
    host.apply(
      { kind: 'file', path: '/run/wg0', content: Buffer.from(''), mode: 0o644, secret: false },
      new AbortController().signal,
    ),
  secrets: ['canary-key-0123'],
});

describe('command', () => {
  test('a query also runs in a dry run, and its output is kept', async () => {
    for (const host of [memoryHost(machine()), recordingHost(memoryHost(machine()))]) {
      const { result, changes } = await runPhase(command, input({ argv: ['uname', '-r'], query: true }), host);
      expect([result.status, result.steps[0]?.outputs, changes]).toEqual([
        'succeeded',
        { ran: true, stdout: '6.1.0\n', stderr: '' },
        [],
      ]);
    }
  });

  test('a change is reported with the reason why it stays, and its undo command runs on undo', async () => {
    const host = memoryHost(machine());
    const stays = await runPhase(command, input({ argv: ['mkfs', '/dev/x'], irreversible: 'it is empty now' }), host);
    expect(stays.changes).toEqual([{ kind: 'command', command: 'mkfs /dev/x', irreversible: 'it is empty now' }]);
  });

  test.each([
    ['unless says that it is done', { unless: ['true'] }, { true: {} }, { ran: false }],
    ['unless says that it is not', { unless: ['wg', 'show', 'wg0'] }, {}, { ran: true }],
    ['what it creates is there', { creates: '/etc/there' }, {}, { ran: false }],
  ])('the phase command runs or skips the command if %s', async (_, overrides, outputs, ran) => {
    const host = memoryHost({ files: { '/etc/there': '' }, outputs: { ...machine().outputs, ...outputs } });
    const { result } = await runPhase(command, input({ argv: ['a'], undo: ['b'], ...overrides }), host);
    expect(result.steps[0]?.outputs).toEqual(ran);
  });

  test.each([{}, { undo: ['b'], irreversible: 'no' }, { query: true, undo: ['b'] }])(
    'a command with %j is refused, because it needs exactly one of undo, irreversible and query',
    async (overrides) => {
      const host = memoryHost(machine());
      const { error } = await runPhase(command, input({ argv: ['a'], ...overrides }), host);
      expect(error).toMatchObject({ code: 'E_PHASE_INPUT', exitCode: 3, facts: { phase: 'command' } });
      expect(host.changes).toEqual([]);
    },
  );

  test('a failing command is reported with its output', async () => {
    const { error } = await runPhase(
      command,
      input({ argv: ['wg', 'show', 'wg0'], query: true }),
      memoryHost(machine()),
    );
    expect(error).toMatchObject({
      code: 'E_COMMAND_FAILED',
      facts: { command: 'wg show wg0', exitCode: 1, output: 'no such device' },
    });
  });

  test('a command runs without a shell, with the given environment and limits of time and output', async () => {
    const { host } = await rootedMachine({
      say: 'echo "$1 $GIVEN"',
      stay: 'exec sleep 20',
      much: 'head -c 70000 /dev/zero',
    });
    const overrides = { environment: { GIVEN: 'yes' }, query: true };
    const said = await runPhase(command, input({ argv: ['say', '$HOME; id'], ...overrides }), host);
    expect(said.result.steps[0]?.outputs).toMatchObject({ stdout: '$HOME; id yes\n' });
    const late = await runPhase(command, input({ argv: ['stay'], query: true, timeoutSeconds: 1 }), host);
    expect(late.error).toMatchObject({ code: 'E_COMMAND_FAILED', facts: { output: 'not done after 1 s' } });
    const long = await runPhase(command, input({ argv: ['much'], query: true }), host);
    expect(long.error).toMatchObject({ code: 'E_COMMAND_FAILED', facts: { command: 'much' } });
  });
});
