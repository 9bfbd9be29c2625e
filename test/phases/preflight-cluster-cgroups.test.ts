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
    ['may be patched', V1, { ...configured(), patches: '/patches' }, undefined],
  ])('a configuration of the kubelets that %s gives the right result', async (_, files, overrides, code) => {
    const { error } = await look(files, { ...overrides });
    expect((error as { code?: string } | undefined)?.code).toBe(code);
  });

  test('can be ignored as SystemVerification', async () => {
    const { error, notes } = await look(V1, {
      ...configured(),
      ignorePreflightErrors: ['SystemVerification'],
    });
    expect([error, notes]).toEqual([undefined, [{ level: 'warn', text: expect.stringContaining('cgroups v1') }]]);
  });
});
