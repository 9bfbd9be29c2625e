import { describe, expect, test } from 'vitest';
import { defined } from '../../engine/sdk/index.ts';
import { type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import preflightCluster from '../../phases/preflight-cluster/index.ts';
import { authority, FakeCluster, NOW, SERVER, TOKEN } from '../helpers/cluster.ts';
import { runPhase } from '../helpers/contract.ts';

const ca = authority();
const identity = { server: SERVER, ca: ca.pem, token: TOKEN };
const machine = (files: Record<string, string>): MemoryMachine => ({
  now: () => NOW,
  send: new FakeCluster(ca).send,
  runtimes: { '/run/containerd/containerd.sock': { cgroupDriver: 'systemd' } },
  files,
});

const look = async (files: Record<string, string>, overrides: Record<string, unknown>) => {
  const { error, result } = await runPhase(
    preflightCluster,
    { identity, nodeName: 'w1', ...overrides },
    memoryHost(machine(files)),
  );
  return { error, notes: result.steps[0]?.notes };
};

describe('cgroups v1 and a kubelet from 1.35 on', () => {
  const versions = { kubeletVersion: 'v1.35.1', clusterConfiguration: { kubernetesVersion: 'v1.35.0' } };
  const V1 = { '/proc/cgroups': '#subsys_name\n' };
  const configured = (failCgroupV1?: boolean) => ({
    ...versions,
    kubeletConfiguration: { kind: 'KubeletConfiguration', cgroupDriver: 'systemd', ...defined({ failCgroupV1 }) },
  });

  test.each<[string, Record<string, string>, object, string | undefined]>([
    ['does not say whether it accepts them', V1, configured(), 'E_CGROUP_V1'],
    ['refuses them', V1, configured(true), 'E_CGROUP_V1'],
    ['accepts them', V1, configured(false), undefined],
    ['refuses them, on cgroups v2', { ...V1, '/sys/fs/cgroup/cgroup.controllers': 'cpu' }, configured(), undefined],
    ['is that of a kubelet 1.34', V1, { ...configured(), kubeletVersion: 'v1.34.9' }, undefined],
    [
      'is patched to accept them',
      { ...V1, '/patches/kubeletconfiguration.yaml': 'failCgroupV1: false\n' },
      { ...configured(), patches: '/patches' },
      undefined,
    ],
  ])('a configuration of the kubelets that %s gives the right result', async (_, files, overrides, code) => {
    const { error } = await look(files, { ...overrides });
    expect((error as { code?: string } | undefined)?.code).toBe(code);
  });

  test('cgroups v1 with a kubelet from 1.35 on can be ignored as SystemVerification', async () => {
    const { error, notes } = await look(V1, {
      ...configured(),
      ignorePreflightErrors: ['SystemVerification'],
    });
    expect([error, notes]).toEqual([undefined, [{ level: 'warn', text: expect.stringContaining('cgroups v1') }]]);
  });
});

describe('what would stop the join after the certificate was requested', () => {
  const input = {
    kubeletVersion: 'v1.34.1',
    clusterConfiguration: { kubernetesVersion: 'v1.34.0' },
    kubeletConfiguration: { kind: 'KubeletConfiguration', cgroupDriver: 'systemd' },
  };

  test.each<[string, Record<string, string>, string | undefined, string | undefined]>([
    ['a directory of patches that does not exist', {}, '/nope', 'E_PATCH'],
    ['a patch that is not YAML', { '/patches/kubeletconfiguration.yaml': 'a: [' }, '/patches', 'E_PATCH'],
    ['a patch that fits', { '/patches/kubeletconfiguration.yaml': 'maxPods: 5\n' }, '/patches', undefined],
    [
      'a patch with an unknown cgroup driver',
      { '/patches/kubeletconfiguration.yaml': 'cgroupDriver: cgroupz\n' },
      '/patches',
      'E_PATCH',
    ],
    [
      'a patch with a port that is a text',
      { '/patches/kubeletconfiguration.yaml': 'healthzPort: "10248"\n' },
      '/patches',
      'E_PATCH',
    ],
    [
      'the CA file of another cluster',
      { '/etc/kubernetes/pki/ca.crt': authority().pem },
      undefined,
      'E_CA_FILE_DIFFERS',
    ],
    ['the CA file of this cluster', { '/etc/kubernetes/pki/ca.crt': ca.pem }, undefined, undefined],
  ])('preflight-cluster finds %s before anything is sent', async (_, files, patches, code) => {
    const { error } = await look(files, { ...input, ...defined({ patches }) });
    expect((error as { code?: string } | undefined)?.code).toBe(code);
  });

  test.each<[string, string, object, Record<string, string>, string | undefined]>([
    ['v1.30.2', 'v1.30.0', { cgroupDriver: 'cgroupfs' }, {}, 'cgroupDriver in ConfigMap kube-system/kubelet-config'],
    [
      'v1.20.2',
      'v1.20.0',
      { cgroupDriver: 'cgroupfs' },
      {},
      'cgroupDriver in ConfigMap kube-system/kubelet-config-1.20',
    ],
    [
      'v1.20.2',
      'v1.20.0',
      {},
      {},
      'the default, because ConfigMap kube-system/kubelet-config-1.20 has no cgroupDriver',
    ],
    [
      'v1.30.2',
      'v1.30.0',
      { cgroupDriver: 'systemd' },
      { '/patches/kubeletconfiguration.yaml': 'cgroupDriver: cgroupfs\n' },
      'cgroupDriver in a patch of /patches',
    ],
  ])('an error about the cgroup driver of a kubelet %s says where the driver is set', async (...row) => {
    const [kubeletVersion, kubernetesVersion, fields, files, origin] = row;
    const { error } = await look(files, {
      kubeletVersion,
      clusterConfiguration: { kubernetesVersion },
      kubeletConfiguration: { kind: 'KubeletConfiguration', ...fields },
      ...defined({ patches: Object.keys(files).length === 0 ? undefined : '/patches' }),
    });
    expect((error as Error).message).toContain(`would use the cgroup driver cgroupfs (${origin}), but`);
  });

  test('an error about the version of the cluster says which ConfigMap has it', async () => {
    const { error } = await look({}, { ...input, clusterConfiguration: { kubernetesVersion: 'v1.33.0' } });
    expect((error as Error).message).toContain(
      'the cluster is v1.33.0 (kubernetesVersion in ConfigMap kube-system/kubeadm-config)',
    );
  });

  test('a problem that would stop the join after the CSR cannot be ignored', async () => {
    const { error } = await look({}, { ...input, patches: '/nope', ignorePreflightErrors: ['all'] });
    expect(error).toMatchObject({ code: 'E_PATCH' });
  });
});
