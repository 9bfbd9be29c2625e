import { describe, expect, test } from 'vitest';
import { configMapRef } from '../../engine/node/index.ts';
import { type MemoryHost, memoryHost } from '../../engine/testing/memory-host.ts';
import clusterConfig from '../../phases/cluster-config/index.ts';
import { authority, FakeCluster, NOW, SERVER, TOKEN, TOKEN_SECRET } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';

const ca = authority();
const input = { identity: { server: SERVER, ca: ca.pem, token: TOKEN } };
const KUBELET = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\ncgroupDriver: systemd\n';

interface Maps {
  version?: string;
  name?: string;
  kubelet?: string;
}
function cluster({ version = 'v1.30.0', name = 'kubelet-config', kubelet = KUBELET }: Maps = {}): FakeCluster {
  const fake = new FakeCluster(ca);
  fake.put(configMapRef('kube-system', 'kubeadm-config'), {
    data: { ClusterConfiguration: `kubernetesVersion: ${version}\nclusterName: mine\n` },
  });
  fake.put(configMapRef('kube-system', name), { data: { kubelet } });
  return fake;
}
const hostIn = (serving: FakeCluster): MemoryHost => memoryHost({ now: () => NOW, send: serving.send });
const fetched = (serving: FakeCluster, overrides: Record<string, unknown> = {}) =>
  runPhase(clusterConfig, { ...input, ...overrides }, hostIn(serving));

itKeepsThePhaseContract(clusterConfig, {
  input,
  machine: () => ({ now: () => NOW, send: cluster().send }),
  secrets: [TOKEN_SECRET],
  changesNothing: true,
});

describe('cluster-config', () => {
  test('cluster-config outputs the configuration of the cluster and of its kubelets', async () => {
    const { result } = await fetched(cluster({ kubelet: `${KUBELET}clusterDNS: [10.96.0.10]\n` }));
    expect(result.steps[0]).toMatchObject({
      notes: [{ level: 'info', text: 'the cluster runs Kubernetes v1.30.0' }],
      outputs: {
        clusterConfiguration: { kubernetesVersion: 'v1.30.0', clusterName: 'mine' },
        kubeletConfiguration: {
          apiVersion: 'kubelet.config.k8s.io/v1beta1',
          kind: 'KubeletConfiguration',
          cgroupDriver: 'systemd',
          clusterDNS: ['10.96.0.10'],
        },
      },
    });
  });

  test.each([
    ['authorization: { mode: AlwaysAllow }', 'authorization.mode is AlwaysAllow'],
    ['authentication: { anonymous: { enabled: true } }', 'authentication.anonymous.enabled is true'],
    ['readOnlyPort: 10255', 'readOnlyPort is 10255'],
  ])(
    'cluster-config warns before anything is changed if the configuration opens every node: %s',
    async (kubelet, what) => {
      const { result } = await fetched(cluster({ kubelet: `${KUBELET}${kubelet}\n` }));
      const warnings = result.steps[0]?.notes.filter(({ level }) => level === 'warn').map(({ text }) => text);
      expect(warnings).toEqual([expect.stringContaining(`kubelet-config opens every node: ${what}`)]);
    },
  );

  test.each([
    'authorization: { mode: Webhook }',
    'authentication: { anonymous: { enabled: false } }',
    'readOnlyPort: 0',
    'authorization: null',
  ])('cluster-config does not warn about a configuration that opens nothing: %s', async (kubelet) => {
    const { result } = await fetched(cluster({ kubelet: `${KUBELET}${kubelet}\n` }));
    expect(result.steps[0]?.notes.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  test('cluster-config reads the configuration with the bootstrap token', async () => {
    const host = hostIn(cluster());
    await runPhase(clusterConfig, input, host);
    expect(host.sent.map(({ path }) => path.split('/').at(-1))).toEqual(['kubeadm-config', 'kubelet-config']);
    for (const { as } of host.sent) expect(as).toMatchObject({ server: SERVER, ca: ca.pem, token: expect.anything() });
  });

  test.each([
    ['v1.23.17', 'kubelet-config-1.23'],
    ['v1.9.3', 'kubelet-config-1.9'],
    ['1.20.2', 'kubelet-config-1.20'],
    ['v1.24.0', 'kubelet-config'],
    ['v1.36.0-alpha.1', 'kubelet-config'],
  ])('a cluster of %s has the kubelet configuration in the ConfigMap %s', async (version, name) => {
    expect((await fetched(cluster({ version, name }))).error).toBeUndefined();
    expect((await fetched(cluster({ version, name: 'kubelet-config-9.9' }))).error).toMatchObject({
      code: 'E_KUBELET_CONFIG',
      facts: { what: `there is no ConfigMap ${name} with the key kubelet in kube-system` },
      exitCode: 5,
    });
  });

  test.each<[string, FakeCluster, string]>([
    [
      'there is no kubeadm-config',
      new FakeCluster(ca),
      'there is no ConfigMap kubeadm-config with the key ClusterConfiguration in kube-system',
    ],
    [
      'the version is missing',
      cluster({ version: '' }),
      'ConfigMap kube-system/kubeadm-config, key ClusterConfiguration: it has the invalid kubernetesVersion null',
    ],
    [
      'the version is not a version',
      cluster({ version: 'latest' }),
      'ConfigMap kube-system/kubeadm-config, key ClusterConfiguration: it has the invalid kubernetesVersion latest',
    ],
    [
      'the kubelet configuration has another kind',
      cluster({ kubelet: 'kind: KubeProxyConfiguration' }),
      'ConfigMap kube-system/kubelet-config, key kubelet: it has the kind KubeProxyConfiguration, not KubeletConfiguration',
    ],
    [
      'the cgroup driver is unknown',
      cluster({ kubelet: 'kind: KubeletConfiguration\ncgroupDriver: upstart\n' }),
      'ConfigMap kube-system/kubelet-config, key kubelet: it has the unknown cgroupDriver upstart',
    ],
    [
      'a word without quotes is a boolean',
      cluster({ kubelet: 'kind: KubeletConfiguration\nregisterWithTaints:\n- { key: dedicated, value: yes }\n' }),
      'ConfigMap kube-system/kubelet-config, key kubelet: it has registerWithTaints[0].value true, which must be a text in quotes',
    ],
    [
      'the version is a mapping',
      cluster({ version: '{ toString: 1 }' }),
      'ConfigMap kube-system/kubeadm-config, key ClusterConfiguration: it has the invalid kubernetesVersion {"toString":1}',
    ],
    [
      'the kind is a mapping',
      cluster({ kubelet: 'kind: { toString: 1 }' }),
      'ConfigMap kube-system/kubelet-config, key kubelet: it has the kind {"toString":1}, not KubeletConfiguration',
    ],
    [
      'the text is not YAML',
      cluster({ kubelet: 7 as never }),
      'there is no ConfigMap kubelet-config with the key kubelet in kube-system',
    ],
    [
      'the health check has an invalid port',
      cluster({ kubelet: 'kind: KubeletConfiguration\nhealthzPort: 99999\n' }),
      'ConfigMap kube-system/kubelet-config, key kubelet: it has an invalid healthzBindAddress (undefined) or healthzPort (99999)',
    ],
    [
      'it is not a mapping',
      cluster({ kubelet: 'text' }),
      'ConfigMap kube-system/kubelet-config, key kubelet: it is not a mapping',
    ],
    [
      'it is not YAML',
      cluster({ kubelet: 'a: [' }),
      'ConfigMap kube-system/kubelet-config, key kubelet: line 1: the indentation does not match the lines above, or a bracket above is not closed',
    ],
  ])('cluster-config fails if %s', async (_, serving, what) => {
    expect((await fetched(serving)).error).toMatchObject({ code: 'E_KUBELET_CONFIG', facts: { what } });
  });

  test.each([
    [403, 'E_API_FORBIDDEN'],
    [401, 'E_API_UNAUTHORIZED'],
  ])('cluster-config fails with its own error if the answer is %i', async (status, code) => {
    const serving = cluster();
    serving.answers.set('GET /api/v1/namespaces/kube-system/configmaps/kubelet-config', serving.answer(status, {}));
    expect((await fetched(serving)).error).toMatchObject({ code });
  });
});

describe('cluster-config with the gate DynamicKubeletConfig', () => {
  const of = (minor: number, overrides: Record<string, unknown> = { dynamic: true }) => {
    const name = minor < 24 ? `kubelet-config-1.${minor}` : 'kubelet-config';
    const serving = cluster({ version: `v1.${minor}.0`, name });
    serving.put(configMapRef('kube-system', name), { metadata: { name, uid: 'uid-7' }, data: { kubelet: KUBELET } });
    serving.answers.set('GET /version', serving.answer(200, { gitVersion: `v1.${minor}.2` }));
    return fetched(serving, overrides);
  };

  test.each([
    [23, { configMap: { namespace: 'kube-system', name: 'kubelet-config-1.23', kubeletConfigKey: 'kubelet' } }],
    [20, { configMap: { namespace: 'kube-system', name: 'kubelet-config-1.20', kubeletConfigKey: 'kubelet' } }],
    [11, { configMap: { namespace: 'kube-system', name: 'kubelet-config-1.11', kubeletConfigKey: 'kubelet' } }],
    [10, { configMapRef: { namespace: 'kube-system', name: 'kubelet-config-1.10', uid: 'uid-7' } }],
  ])('cluster-config outputs the configSource in the form of 1.%i', async (minor, configSource) => {
    const { result } = await of(minor);
    expect(result.steps[0]).toMatchObject({ outputs: { configSource } });
  });

  test.each([24, 30])('cluster-config refuses a server of 1.%i before anything is written', async (minor) => {
    const { error } = await of(minor);
    expect(error).toMatchObject({
      code: 'E_DYNAMIC_CONFIG_GONE',
      message: `${SERVER} does not support dynamic kubelet configuration: it is v1.${minor}.2, and 1.23 was the last release with the feature`,
      exitCode: 5,
    });
  });

  test('cluster-config refuses a server without a version', async () => {
    const serving = cluster();
    serving.answers.set('GET /version', serving.answer(200, {}));
    const { error } = await fetched(serving, { dynamic: true });
    expect(error).toMatchObject({ code: 'E_API_ANSWER', facts: { what: 'not a version of Kubernetes' } });
  });

  test('cluster-config sends no request and has no output for dynamic configuration if the gate is off', async () => {
    const { result } = await of(30, { dynamic: false });
    expect(result.steps[0]?.outputs).not.toHaveProperty('configSource');
  });
});
