import { expect, test } from 'vitest';
import { type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import sysctl from '../../phases/sysctl/index.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';

const SIGNAL = new AbortController().signal;
const machine = (): MemoryMachine => ({
  files: {
    '/proc/sys/net/ipv4/ip_forward': '0\n',
    '/proc/sys/net/ipv4/tcp_rmem': '4096\t131072\t6291456\n',
    '/proc/sys/vm/overcommit_memory': '1\n',
  },
});
const values = { 'net.ipv4.ip_forward': '1', 'vm.overcommit_memory': '1' };

itKeepsThePhaseContract(sysctl, {
  input: { values },
  machine,
  afterwards: (host) =>
    host.apply(
      { kind: 'file', path: '/proc/sys/net/ipv4/ip_forward', content: Buffer.from('1\n'), mode: 0o644, secret: false },
      SIGNAL,
    ),
  secrets: [],
});

test('sysctl applies the settings that differ, keeps their old values, and writes all to a file', async () => {
  const host = memoryHost(machine());
  const more = { ...values, 'net.ipv4.tcp_rmem': '4096 131072 6291456', 'net/ipv4/conf/eth0.1/forwarding': '1' };
  expect((await runPhase(sysctl, { values: more, file: '99-joinery' }, host)).error).toBeUndefined();
  expect(host.changes.filter(({ kind }) => kind === 'command')).toMatchObject([
    { argv: ['sysctl', '-w', 'net.ipv4.ip_forward=1'], undo: ['sysctl', '-w', 'net.ipv4.ip_forward=0'] },
    {
      argv: ['sysctl', '-w', 'net/ipv4/conf/eth0.1/forwarding=1'],
      irreversible: 'the setting did not exist before',
    },
  ]);
  const file = host.changes.find(({ kind }) => kind === 'file');
  expect(file).toMatchObject({ path: '/etc/sysctl.d/99-joinery.conf', mode: 0o644 });
  expect(file?.kind === 'file' && file.content.toString()).toBe(`# Written by Joinery.
net.ipv4.ip_forward = 1
vm.overcommit_memory = 1
net.ipv4.tcp_rmem = 4096 131072 6291456
net/ipv4/conf/eth0.1/forwarding = 1
`);
});

test.each(['ip_forward', 'net..ipv4', '../etc/passwd', 'net.ipv4.ip forward'])(
  'sysctl refuses %s, which names no setting',
  async (name) => {
    const host = memoryHost(machine());
    const { error } = await runPhase(sysctl, { values: { [name]: '1' }, file: 'x' }, host);
    expect([error, host.changes]).toMatchObject([{ code: 'E_PHASE_INPUT' }, []]);
  },
);
