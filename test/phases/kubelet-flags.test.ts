/** How a kubelet of each release gets its flags and the socket of its container runtime from kubelet-config. */
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import kubeletConfig from '../../phases/kubelet-config/index.ts';
import { runPhase } from '../helpers/contract.ts';
import { CONFIG, configure, FLAGS, input, machine, text } from '../helpers/kubelet-config.ts';

describe('flags of the kubelet', () => {
  const flagsOf = async (overrides: Record<string, unknown>, change: MemoryMachine = {}) => {
    const host = memoryHost(machine(change));
    const { error } = await configure(host, overrides);
    expect(error).toBeUndefined();
    return text(host, FLAGS);
  };
  const endpoint = '--container-runtime-endpoint=';

  const DOCKER = '/var/run/dockershim.sock';
  const cluster = { clusterConfiguration: { kubernetesVersion: 'v1.30.2', imageRepository: 'registry.test/k8s' } };
  const gate = (isOn: boolean) => ({
    clusterConfiguration: { kubernetesVersion: 'v1.36.2', featureGates: { NodeLocalCRISocket: isOn } },
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['v1.30.2', {}, `${endpoint}unix:///var/run/containerd/containerd.sock`],
    ['v1.24.0', {}, `${endpoint}unix:///var/run/containerd/containerd.sock`],
    ['v1.23.17', {}, `--container-runtime=remote ${endpoint}/run/containerd/containerd.sock`],
    ['v1.23.17', { criSocket: '/run/x.sock' }, `--container-runtime=remote ${endpoint}/run/x.sock`],
    ['v1.30.2', { criSocket: '/run/x.sock' }, `${endpoint}unix:///run/x.sock`],
    ['v1.30.2', { criSocket: 'unix:///run/x.sock' }, `${endpoint}unix:///run/x.sock`],
    [
      'v1.30.2',
      { nodeName: 'other' },
      `${endpoint}unix:///var/run/containerd/containerd.sock --hostname-override=other`,
    ],
    ['v1.36.2', { nodeName: 'other' }, '--hostname-override=other'],
    ['v1.36.2', gate(true), ''],
    ['v1.36.2', gate(false), `${endpoint}unix:///var/run/containerd/containerd.sock`],
    ['v1.32.0', gate(true), ''],
    ['v1.31.9', gate(true), `${endpoint}unix:///var/run/containerd/containerd.sock`],
    [
      'v1.30.2',
      { ...cluster, criSocket: '/x' },
      `${endpoint}unix:///x --pod-infra-container-image=registry.test/k8s/pause:3.9`,
    ],
    ['v1.34.1', cluster, '--pod-infra-container-image=registry.test/k8s/pause:3.10.1'],
    ['v1.35.0', cluster, ''],
    [
      'v1.20.2',
      { ...cluster, criSocket: DOCKER },
      '--network-plugin=cni --pod-infra-container-image=registry.test/k8s/pause:3.2',
    ],
    ['v1.24.0', { criSocket: DOCKER }, `${endpoint}unix://${DOCKER}`],
  ])('kubelet-config writes the flags of kubeadm for %s and %j', async (kubeletVersion, overrides, expected) => {
    expect(await flagsOf({ kubeletVersion, ...overrides })).toBe(`KUBELET_KUBEADM_ARGS="${expected}"\n`);
  });

  test('a socket that is only below /run is named by that path', async () => {
    const only = { files: { '/run/crio.sock': '', '/run/containerd/containerd.sock': '' } };
    expect(await flagsOf({}, only)).toContain('=unix:///run/containerd/containerd.sock');
  });

  test('kubelet-config uses the version of the installed kubelet by default', async () => {
    const { kubeletVersion: _, ...unsaid } = input;
    const at = async (change: MemoryMachine) => {
      const host = memoryHost(machine(change));
      const { error } = await runPhase(kubeletConfig, unsaid, host);
      return { error, flags: await text(host, FLAGS) };
    };
    const old = await at({
      programs: ['kubelet'],
      outputs: { 'kubelet --version': { stdout: 'Kubernetes v1.20.2\n' } },
    });
    expect(old.flags).toContain('--container-runtime=remote');
    expect((await at({})).error).toMatchObject({ code: 'E_PROGRAM_MISSING' });
    const odd = await at({ programs: ['kubelet'], outputs: { 'kubelet --version': { stdout: 'hello' } } });
    expect(odd.error).toMatchObject({
      code: 'E_COMMAND_FAILED',
      facts: { command: 'kubelet --version', output: 'hello' },
    });
  });
});

describe('the socket of the container runtime in a file', () => {
  const INSTANCE = '/var/lib/kubelet/instance-config.yaml';
  const SOCKET = 'unix:///var/run/containerd/containerd.sock';

  test('from 1.34 on, the socket is in a file of the machine and in the configuration', async () => {
    const host = memoryHost(machine());
    expect((await configure(host, { kubeletVersion: 'v1.34.0' })).error).toBeUndefined();
    expect(await text(host, INSTANCE)).toBe(`containerRuntimeEndpoint: "${SOCKET}"\n`);
    expect(parse((await text(host, CONFIG)) ?? '')).toMatchObject({ containerRuntimeEndpoint: SOCKET });
  });

  test('the socket of the machine overrides that of a patch', async () => {
    const patch = { '/patches/kubeletconfiguration.yaml': 'containerRuntimeEndpoint: unix:///other' };
    const runtimes = { '/run/containerd/containerd.sock': { cgroupDriver: 'systemd' as const } };
    const host = memoryHost(machine({ files: patch, runtimes }));
    expect((await configure(host, { kubeletVersion: 'v1.34.0', patches: '/patches' })).error).toBeUndefined();
    expect(parse((await text(host, CONFIG)) ?? '')).toMatchObject({ containerRuntimeEndpoint: SOCKET });
  });

  test.each([
    ['v1.33.9', {}],
    [
      'v1.36.2',
      { clusterConfiguration: { kubernetesVersion: 'v1.36.2', featureGates: { NodeLocalCRISocket: false } } },
    ],
  ])(
    'kubelet-flags writes no file for the socket of the container runtime for %s and %j',
    async (kubeletVersion, overrides) => {
      const host = memoryHost(machine());
      expect((await configure(host, { kubeletVersion, ...overrides })).error).toBeUndefined();
      expect(await text(host, INSTANCE)).toBeUndefined();
      expect(parse((await text(host, CONFIG)) ?? '')).not.toHaveProperty('containerRuntimeEndpoint');
    },
  );
});
