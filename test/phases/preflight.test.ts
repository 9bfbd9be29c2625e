import { describe, expect, test } from 'vitest';
import { type MemoryHost, type MemoryMachine, memoryHost } from '../../engine/host/memory.ts';
import { paths } from '../../engine/sdk/index.ts';
import preflight from '../../phases/preflight/index.ts';
import { authority, issue, NOW, SERVER } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { heldIdentity } from '../helpers/node.ts';

const SIGNAL = new AbortController().signal;
const SOCKET = '/run/containerd/containerd.sock';
const input = { nodeName: 'w1', privileged: true };
const programs = [
  'conntrack',
  'ip',
  'iptables',
  'mount',
  'nsenter',
  'ebtables',
  'ethtool',
  'socat',
  'tc',
  'touch',
  'kubelet',
];
const files = {
  '/proc/sys/net/ipv4/ip_forward': '1\n',
  '/proc/sys/net/bridge/bridge-nf-call-iptables': '1\n',
  '/proc/swaps': 'Filename\tType\tSize\tUsed\tPriority\n',
  '/proc/net/tcp': '  sl  local_address\n   0: 0100007F:1F90 00000000:0000 0A 0\n',
};
/** A machine on which every check passes. */
const good = (change: MemoryMachine = {}): MemoryMachine => ({
  now: () => NOW,
  programs,
  services: { kubelet: {} },
  ...change,
  files: { ...files, ...change.files },
});
/** The memory host has no sockets; a link at the socket's place is taken for one. */
const withRuntime = async (host: MemoryHost): Promise<void> =>
  host.apply({ kind: 'link', path: SOCKET, target: '/real.sock' }, SIGNAL);

async function checked(machine: MemoryMachine, given: Record<string, unknown> = input, prepare = withRuntime) {
  const host = memoryHost(machine);
  await prepare(host);
  return runPhase(preflight, given, host);
}
const failuresOf = (error: unknown): string[] =>
  (error as { facts?: { failures?: { check: string }[] } } | undefined)?.facts?.failures?.map(({ check }) => check) ??
  [];

itKeepsThePhaseContract(preflight, {
  input,
  machine: good,
  prepare: withRuntime,
  secrets: [],
  changesNothing: true,
});

const without = (name: string): Record<string, string> =>
  Object.fromEntries(Object.entries(files).filter(([path]) => path !== name));
const noProgram = (name: string): MemoryMachine => good({ programs: programs.filter((program) => program !== name) });

describe('preflight', () => {
  test('finds nothing on a good machine, and runs no program to find out', async () => {
    const { result, error } = await checked(good());
    expect(error).toBeUndefined();
    expect(result.steps[0]).toMatchObject({
      status: 'succeeded',
      notes: [],
      changes: [],
      outputs: {},
    });
  });

  test.each<[string, MemoryMachine, Record<string, unknown>?]>([
    ['IsPrivilegedUser', good(), { ...input, privileged: false }],
    ['DirAvailable--etc-kubernetes-manifests', good({ files: { '/etc/kubernetes/manifests/etcd.yaml': '' } })],
    ['FileAvailable--etc-kubernetes-kubelet.conf', good({ files: { '/etc/kubernetes/kubelet.conf': '' } })],
    [
      'FileAvailable--etc-kubernetes-bootstrap-kubelet.conf',
      good({ files: { '/etc/kubernetes/bootstrap-kubelet.conf': '' } }),
    ],
    ['FileAvailable--etc-kubernetes-pki-ca.crt', good({ files: { '/etc/kubernetes/pki/ca.crt': '' } })],
    ['FileAvailable--srv-ca.crt', good({ files: { '/srv/ca.crt': '' } }), { ...input, caCertPath: '/srv/ca.crt' }],
    ['FileContent--proc-sys-net-ipv4-ip_forward', good({ files: { '/proc/sys/net/ipv4/ip_forward': '0\n' } })],
    ['FileContent--proc-sys-net-ipv4-ip_forward', { ...good(), files: without('/proc/sys/net/ipv4/ip_forward') }],
    ['Swap', good({ files: { '/proc/swaps': 'Filename\n/dev/sda2 partition 1 0 -2\n' } })],
    ['FileExisting-conntrack', noProgram('conntrack')],
    ['FileExisting-ip', noProgram('ip')],
    ['FileExisting-iptables', noProgram('iptables')],
    ['FileExisting-mount', noProgram('mount')],
    ['FileExisting-nsenter', noProgram('nsenter')],
    ['KubeletVersion', noProgram('kubelet')],
    ['Port-10250', good({ files: { '/proc/net/tcp': '   1: 00000000:280A 00000000:0000 0A 0\n' } })],
    [
      'Port-10250',
      good({
        files: {
          '/proc/net/tcp6': '   1: 00000000000000000000000000000000:280A 00000000000000000000000000000000:0000 0A 0\n',
        },
      }),
    ],
  ])('fails by %s', async (check, machine, given = input) => {
    const { error } = await checked(machine, given);
    expect(error).toMatchObject({
      code: 'E_PREFLIGHT',
      exitCode: 4,
      hint: expect.stringContaining(`--ignore-preflight-errors=${check}`),
    });
    expect(failuresOf(error)).toEqual([check]);
  });

  test('fails by CRI where no runtime listens', async () => {
    for (const prepare of [
      async () => undefined,
      async (host: MemoryHost) => host.apply({ kind: 'directory', path: SOCKET, mode: 0o755 }, SIGNAL),
    ])
      expect(failuresOf((await checked(good(), input, prepare)).error)).toEqual(['CRI']);
    const elsewhere = { ...input, criSocket: 'unix:///run/other.sock' };
    expect(failuresOf((await checked(good(), elsewhere)).error)).toEqual(['CRI']);
  });

  test('asks which one where there are several runtimes', async () => {
    const two = async (host: MemoryHost) => {
      await withRuntime(host);
      await host.apply({ kind: 'link', path: '/var/run/crio/crio.sock', target: 'x' }, SIGNAL);
    };
    const swapping = good({ files: { '/proc/swaps': 'Filename\n/dev/sda2\n' } });
    const { error } = await checked(swapping, input, two);
    expect(failuresOf(error)).toEqual(['CRI', 'Swap']); // beside all else that is wrong
    expect(String(error)).toContain(
      'unix:///run/containerd/containerd.sock, unix:///var/run/crio/crio.sock. Say which one',
    );
    expect((await checked(good(), { ...input, criSocket: SOCKET }, two)).error).toBeUndefined();
  });

  test.each<[string, MemoryMachine]>([
    [
      '[FileContent--proc-sys-net-bridge-bridge-nf-call-iptables]',
      { ...good(), files: without('/proc/sys/net/bridge/bridge-nf-call-iptables') },
    ],
    ['[FileExisting-ebtables]', noProgram('ebtables')],
    ['[FileExisting-ethtool]', noProgram('ethtool')],
    ['[FileExisting-socat]', noProgram('socat')],
    ['[FileExisting-tc]', noProgram('tc')],
    ['[FileExisting-touch]', noProgram('touch')],
    ['[Service-Kubelet] systemd knows no service kubelet', good({ services: {} })],
    [
      '[Service-Kubelet] the kubelet will not come back after a reboot: systemctl enable kubelet.service',
      good({ services: { kubelet: { enabled: false } } }),
    ],
    [
      '[Service-Kubelet] the kubelet will not come back after a reboot: rc-update add kubelet default',
      good({ services: { kubelet: { manager: 'openrc', enabled: false } } }),
    ],
    [
      '[Service-Kubelet] no systemd and no OpenRC here: the kubelet must be started by hand',
      good({ services: { kubelet: { manager: 'none' } } }),
    ],
  ])('warns by %s, and passes', async (text, machine) => {
    const { result, error } = await checked(machine);
    expect(error).toBeUndefined();
    expect(result.steps[0]?.notes).toEqual([{ level: 'warn', text: expect.stringContaining(text) }]);
  });

  test('says all at once, always in the same order', async () => {
    const { error, result } = await checked(
      { now: () => NOW },
      { nodeName: 'w1', privileged: false },
      async () => undefined,
    );
    expect(failuresOf(error)).toEqual([
      'IsPrivilegedUser',
      'CRI',
      'FileContent--proc-sys-net-ipv4-ip_forward',
      'FileExisting-conntrack',
      'FileExisting-ip',
      'FileExisting-iptables',
      'FileExisting-mount',
      'FileExisting-nsenter',
      'KubeletVersion',
    ]);
    expect(result.steps[0]?.notes.map(({ text }) => text.split(' ')[0])).toEqual([
      '[FileContent--proc-sys-net-bridge-bridge-nf-call-iptables]',
      '[FileExisting-ebtables]',
      '[FileExisting-ethtool]',
      '[FileExisting-socat]',
      '[FileExisting-tc]',
      '[FileExisting-touch]',
      '[Service-Kubelet]',
    ]);
  });

  const broken = good({ files: { '/proc/swaps': 'Filename\n/dev/sda2\n', '/etc/kubernetes/kubelet.conf': '' } });
  test.each([
    [['Swap'], ['FileAvailable--etc-kubernetes-kubelet.conf']],
    [['swap', ' FILEAVAILABLE--etc-kubernetes-kubelet.conf '], []],
    [['all'], []],
    [['ALL'], []],
    [['all', 'ALL'], []],
    [['Nonsense'], ['FileAvailable--etc-kubernetes-kubelet.conf', 'Swap']],
    [[], ['FileAvailable--etc-kubernetes-kubelet.conf', 'Swap']],
  ])('ignoring %j leaves %j', async (ignorePreflightErrors, left) => {
    const { error, result } = await checked(broken, { ...input, ignorePreflightErrors });
    expect(failuresOf(error)).toEqual(left);
    expect(error === undefined).toBe(left.length === 0);
    expect(result.steps[0]?.notes).toHaveLength(2 - left.length); // what is ignored is still told
  });

  test('ignores no other check beside all', async () => {
    const { error } = await checked(good(), { ...input, ignorePreflightErrors: ['all', 'Swap'] });
    expect(error).toMatchObject({ code: 'E_PREFLIGHT_IGNORE', exitCode: 2 });
  });

  test('takes what an earlier join under this name left for no obstacle, and under another name for one', async () => {
    const ca = authority();
    const held = heldIdentity(SERVER, ca.pem, issue(ca));
    const machine = good({
      files: { ...held, [paths.caCert]: ca.pem, '/proc/net/tcp': '   1: 00000000:280A 00000000:0000 0A 0\n' },
    });
    expect((await checked(machine)).error).toBeUndefined();
    expect(failuresOf((await checked(machine, { ...input, nodeName: 'w2' })).error)).toEqual([
      'FileAvailable--etc-kubernetes-kubelet.conf',
      'FileAvailable--etc-kubernetes-pki-ca.crt',
      'Port-10250',
    ]);
  });
});
