import { describe, expect, test } from 'vitest';
import type { MemoryMachine } from '../../engine/testing/memory-host.ts';
import { checked, joinable, kernelConfig, RELEASE, SWAPPING, withKubelet, withoutFile } from '../helpers/joinable.ts';
import { ALL_V1, controllers, V1, V2 } from '../helpers/preflight-cases.ts';

const marks = { error: 'E', warning: 'W', ok: '', ignored: '' };
/** What fails, as `E Swap`. Several results of one check are one entry. */
const failures = async (machine: MemoryMachine, values: Record<string, unknown> = {}): Promise<string[]> => {
  const { found } = await checked(machine, values);
  return [...new Set(found.map(({ check, result }) => `${marks[result]} ${check}`))];
};

describe('the checks of each release of the kubelet', () => {
  /** A machine on which no check passes. */
  const bent = (version: string): MemoryMachine => ({
    ...withKubelet(version),
    programs: ['kubelet'],
    services: {},
    files: {
      ...SWAPPING,
      '/proc/net/tcp': '   1: 00000000:280A 00000000:0000 0A 0\n',
      ...Object.fromEntries(
        ['manifests/x.yaml', 'kubelet.conf', 'bootstrap-kubelet.conf', 'pki/ca.crt'].map((name) => [
          `/etc/kubernetes/${name}`,
          '',
        ]),
      ),
    },
  });
  const values = { privileged: false, endpoint: '10.0.0.1:6443' };
  const FILES = ['kubelet.conf', 'bootstrap-kubelet.conf', 'pki-ca.crt'].map(
    (n) => `E FileAvailable--etc-kubernetes-${n}`,
  );
  const FORWARD = 'E FileContent--proc-sys-net-ipv4-ip_forward';
  const programs = (mark: string, ...names: string[]) => names.map((name) => `${mark} FileExisting-${name}`);
  const LAST = ['E SystemVerification', 'W Hostname', 'W Service-kubelet', 'E Port-10250'];
  const OLD = [
    ...programs('E', 'ip', 'iptables', 'mount', 'nsenter'),
    ...programs('W', 'ebtables', 'ethtool', 'socat', 'tc', 'touch'),
  ];
  const MANIFESTS = 'E DirAvailable--etc-kubernetes-manifests';
  const BRIDGE = 'E FileContent--proc-sys-net-bridge-bridge-nf-call-iptables';

  test.each<[string, string[]]>([
    [
      'v1.20.2',
      [MANIFESTS, ...FILES, 'E CRI', BRIDGE, FORWARD, 'E Swap', ...programs('E', 'crictl', 'conntrack'), ...OLD],
    ],
    ['v1.23.0', [...FILES, 'E CRI', BRIDGE, FORWARD, 'W Swap', ...programs('E', 'crictl', 'conntrack'), ...OLD]],
    ['v1.30.0', [...FILES, 'E CRI', FORWARD, 'W Swap', ...programs('E', 'crictl', 'conntrack'), ...OLD]],
    ['v1.31.0', [...FILES, 'E CRI', FORWARD, 'W Swap', ...programs('W', 'crictl'), ...OLD]],
    ['v1.32.0', [...FILES, 'E CRI', FORWARD, 'W Swap', ...OLD.filter((name) => !/socat|ebtables/.test(name))]],
    ['v1.33.0', [...FILES, 'E CRI', FORWARD, 'W Swap', ...programs('E', 'losetup', 'mount', 'cp')]],
    ['v1.36.2', [...FILES, 'E CRI', FORWARD, 'W Swap', ...programs('E', 'losetup', 'mount', 'cp')]],
  ])('the checks for a kubelet %s are %j', async (version, expected) => {
    const found = await failures(bent(version), values);
    expect(
      found
        .map((name) => (name === 'W SystemVerification' ? 'E SystemVerification' : name))
        .filter((name, index, all) => all.indexOf(name) === index),
    ).toEqual(['E IsPrivilegedUser', ...expected, ...LAST]);
  });

  test('the rules for the oldest kubelets apply if the version is unknown', async () => {
    const found = await failures({ ...bent('v1.36.2'), programs: [] }, values);
    expect(found).toEqual(expect.arrayContaining(['E Swap', MANIFESTS, 'E FileExisting-crictl', 'E KubeletVersion']));
  });

  test('a check that passes does not need the version of the kubelet', async () => {
    const mute = { ...joinable(), outputs: {} };
    const { error, found } = await checked(mute, { standalone: false });
    expect([error, found]).toEqual([undefined, []]);
  });

  test('a check that a later release dropped does not fail a join', async () => {
    const machine = joinable({ ...withKubelet('v1.36.2'), files: { '/etc/kubernetes/manifests/x.yaml': '' } });
    expect(await failures(machine, { standalone: false })).toEqual([]);
  });
});

describe('kernels and cgroups by release of the kubelet', () => {
  const kernel = (release: string, version: string, options = kernelConfig()): MemoryMachine =>
    joinable({
      ...withKubelet(version),
      files: { '/proc/sys/kernel/osrelease': `${release}\n`, [`/boot/config-${release}`]: options },
    });
  test.each<[string, string, string[]]>([
    ['3.10.0-1160.el7', 'v1.31.9', []],
    ['3.9.1', 'v1.31.9', ['E SystemVerification']],
    ['4.18.0-553.el8', 'v1.31.9', []],
    ['4.18.0-553.el8', 'v1.32.0', ['E SystemVerification']],
    ['4.18.0-553.el8', 'v1.34.0', ['W SystemVerification']],
    ['4.19.0', 'v1.33.9', []],
    ['5.14.0-570.el9', 'v1.33.9', []],
    ['5.14.0-570.el9', 'v1.34.0', ['W SystemVerification']],
    ['5.15.0', 'v1.36.2', []],
    ['6.8.0-60-generic', 'v1.36.2', []],
    ['10.1.0', 'v1.36.2', []],
  ])('a kernel %s and a kubelet %s give %j', async (release, version, expected) => {
    expect(await failures(kernel(release, version))).toEqual(expected);
  });

  const onV1 = (machine: MemoryMachine): MemoryMachine => {
    const { [V2]: _, ...files } = machine.files ?? {};
    return { ...machine, files: { ...files, [V1]: controllers(...ALL_V1) } };
  };
  test.each<[string, string, 'v1' | 'v2', string[]]>([
    ['CGROUP_PIDS', 'v1.20.2', 'v2', []],
    ['CGROUP_PIDS', 'v1.21.0', 'v2', ['E SystemVerification']],
    ['FAIR_GROUP_SCHED', 'v1.36.2', 'v2', ['E SystemVerification']],
    ['CGROUP_FREEZER', 'v1.34.9', 'v2', ['E SystemVerification']],
    ['CGROUP_FREEZER', 'v1.35.0', 'v2', []],
    ['CGROUP_BPF', 'v1.34.9', 'v2', []],
    ['CGROUP_BPF', 'v1.35.0', 'v2', ['E SystemVerification']],
    ['CGROUP_BPF', 'v1.30.0', 'v1', []],
  ])(
    'without the kernel option %s, a kubelet %s on cgroups %s gets the verdict %j from preflight',
    async (option, version, cgroups, expected) => {
      const machine = kernel(RELEASE, version, kernelConfig(option));
      expect(await failures(cgroups === 'v1' ? onV1(machine) : machine)).toEqual(expected);
    },
  );

  test.each<[string, boolean, string[]]>([
    ['v1.30.9', true, []],
    ['v1.31.0', true, ['W SystemVerification']],
    ['v1.34.9', true, ['W SystemVerification']],
    ['v1.35.0-alpha.1', true, ['E SystemVerification']],
    ['v1.35.0', true, ['E SystemVerification']],
    ['v1.35.0', false, []],
  ])('on cgroups v1, preflight of a kubelet %s, checked alone: %s, gives %j', async (version, standalone, expected) => {
    expect(await failures(onV1(joinable(withKubelet(version))), { standalone })).toEqual(expected);
  });

  test('the error about cgroups v1 names the kubelet and the setting that would allow them', async () => {
    const { found } = await checked(onV1(joinable(withKubelet('v1.35.1'))));
    expect(found).toMatchObject([
      {
        evidence:
          'this machine has cgroups v1, and a kubelet v1.35.1 does not start on them unless its failCgroupV1 is false',
      },
    ]);
  });

  test('cgroups v2 of a kernel without the freezer lack a controller', async () => {
    const slice = '/sys/fs/cgroup/system.slice';
    const withSlice = (files: Record<string, string>) =>
      withoutFile('', { files: { [`${slice}/cgroup.procs`]: '', ...files } });
    expect(await failures(withSlice({ [`${slice}/cgroup.freeze`]: '0' }))).toEqual([]);
    expect(await failures(withSlice({}))).toEqual(['E SystemVerification']);
  });
});
