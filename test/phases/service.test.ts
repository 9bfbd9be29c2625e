import { describe, expect, test } from 'vitest';
import { Journal } from '../../engine/journal/journal.ts';
import { memoryStore } from '../../engine/journal/memory.ts';
import { undoChanges } from '../../engine/journal/undo.ts';
import { type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import service from '../../phases/service/index.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { rootedMachine } from '../helpers/machine.ts';

type Status = NonNullable<MemoryMachine['services']>[string];
const flags = { restart: false, reload: false, daemonReload: false };
const changed = async (input: Record<string, unknown>, status: Status = {}) => {
  const host = memoryHost({ services: { chrony: status } });
  const { error } = await runPhase(service, { name: 'chrony', ...flags, ...input }, host);
  return { error, actions: host.changes.map((change) => (change.kind === 'service' ? change.action : change.kind)) };
};

itKeepsThePhaseContract(service, {
  input: { name: 'chrony', state: 'started', enabled: true, masked: false },
  machine: () => ({ services: { chrony: { enabled: false, masked: true } } }),
  secrets: [],
});
itKeepsThePhaseContract(service, {
  input: { name: 'apparmor', state: 'stopped', enabled: false, masked: true },
  machine: () => ({ services: { apparmor: { active: true } } }),
  secrets: [],
});

describe('service', () => {
  test.each<[Record<string, unknown>, Status, string[]]>([
    [{ state: 'started' }, {}, ['start']],
    [{ state: 'started', enabled: true }, { active: true }, []],
    [{ state: 'started', restart: true }, {}, ['restart']],
    [{ state: 'started', reload: true }, { active: true }, ['reload-service']],
    [{ state: 'started', reload: true }, {}, ['start']],
    [{ daemonReload: true, state: 'started' }, {}, ['reload', 'start']],
    [{ state: 'stopped', enabled: false, masked: true }, { active: true }, ['stop', 'disable', 'mask']],
  ])('for %j with the status %j, the phase service does %j', async (input, status, actions) => {
    expect(await changed(input, status)).toEqual({ error: undefined, actions });
  });

  test.each([
    { state: 'stopped', restart: true },
    { masked: true, state: 'started' },
  ])('the phase service refuses the contradictory inputs %j', async (input) => {
    expect(await changed(input)).toMatchObject({ error: { code: 'E_PHASE_INPUT' }, actions: [] });
  });

  test('the phase service reports a missing service', async () => {
    const { error } = await runPhase(service, { name: 'chrony', ...flags }, memoryHost());
    expect(error).toMatchObject({ code: 'E_SERVICE_MISSING', facts: { service: 'chrony', manager: 'systemd' } });
  });

  test('undo reverses each action, and starts a service that was running before', async () => {
    const host = memoryHost({ services: { a: { active: true }, b: {} } });
    const start = {
      version: 1,
      id: 'r',
      joinery: '',
      pipeline: 'p',
      source: {} as never,
      inputs: {},
      host: host.facts,
    };
    const journal = Journal.begin(memoryStore(), host.now, { ...start, steps: ['s'] });
    const changes = ['disable a', 'mask a', 'restart a', 'reload-service a', 'enable b', 'restart b', 'reload b'];
    for (const text of changes) {
      const [action = '', name = ''] = text.split(' ');
      const change = { kind: 'service', name, action } as never;
      const before = { kind: 'service', active: name === 'a', data: [], kept: [] } as const;
      await journal.change('s', change, async () => ({ before }));
    }
    const { signal } = new AbortController();
    await undoChanges({ journal, host, overwrite: false, skip: [], signal, onItem: () => undefined });
    expect(host.changes.map((change) => change.kind === 'service' && `${change.action} ${change.name}`)).toEqual([
      ...['stop b', 'disable b', 'unmask a', 'enable a', 'reload b', 'reload-service a', 'restart a'],
    ]);
  });

  test('the phase service controls services through systemctl and through OpenRC, which cannot mask', async () => {
    const { signal } = new AbortController();
    const actions = ['restart', 'reload-service', 'enable', 'disable', 'mask', 'unmask'] as const;
    const says = 'echo "$(basename "$0") $*" >> $JOINERY_ROOT/calls';
    const called = async (scripts: Record<string, string>) => {
      const { host } = await rootedMachine(scripts);
      const failed: string[] = [];
      for (const action of actions)
        await host
          .apply({ kind: 'service', name: 'x', action }, signal)
          .catch(({ code }) => failed.push(`${action} ${code}`));
      const calls = (await host.read<'file'>({ kind: 'file', path: '/calls' }, signal))?.toString().trim().split('\n');
      return { calls, failed };
    };
    expect(await called({ systemctl: says })).toEqual({
      calls: ['restart', 'reload', 'enable', 'disable', 'mask', 'unmask'].map((verb) => `systemctl ${verb} x`),
      failed: [],
    });
    expect(await called({ openrc: '', 'rc-service': says, 'rc-update': says })).toEqual({
      calls: ['rc-service x restart', 'rc-service x reload', 'rc-update add x default', 'rc-update delete x default'],
      failed: ['mask E_SERVICE_ACTION', 'unmask E_SERVICE_ACTION'],
    });
  });
});
