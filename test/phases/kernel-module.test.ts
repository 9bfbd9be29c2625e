import { expect, test } from 'vitest';
import { type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import kernelModule from '../../phases/kernel-module/index.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';

const machine = (): MemoryMachine => ({
  directories: ['/sys/module/overlay'],
  files: {
    '/proc/sys/kernel/osrelease': '6.1.0\n',
    '/lib/modules/6.1.0/modules.builtin': 'kernel/net/ipv4/ip-vs.ko\n',
  },
});

itKeepsThePhaseContract(kernelModule, {
  input: { modules: ['overlay', 'br_netfilter'] },
  machine,
  afterwards: (host) =>
    host.apply({ kind: 'directory', path: '/sys/module/br_netfilter', mode: 0o755 }, new AbortController().signal),
  secrets: [],
});

test('kernel-module loads missing modules, unloads only those on undo, and loads all at each boot', async () => {
  const host = memoryHost(machine());
  await runPhase(kernelModule, { modules: ['overlay', 'ip_vs', 'br-netfilter'], file: 'joinery' }, host);
  expect(host.changes.map((change) => ('path' in change ? change.path : change.kind))).toEqual([
    '/etc',
    '/etc/modules-load.d',
    '/etc/modules-load.d/joinery.conf',
    'command',
  ]);
  expect(host.changes.at(-1)).toMatchObject({
    argv: ['modprobe', 'br-netfilter'],
    undo: ['modprobe', '-r', 'br-netfilter'],
  });
  expect(host.changes.at(-2)).toMatchObject({
    content: Buffer.from('# Written by Joinery.\noverlay\nip_vs\nbr-netfilter\n'),
  });
});
