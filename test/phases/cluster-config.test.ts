import { describe, expect, test } from 'vitest';
import { type MemoryHost, memoryHost } from '../../engine/host/memory.ts';
import { configMapRef } from '../../engine/sdk/index.ts';
import clusterConfig from '../../phases/cluster-config/index.ts';
import { authority, FakeCluster, NOW, SERVER, TOKEN, TOKEN_SECRET } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';

const ca = authority();
const input = { server: SERVER, ca: ca.pem, token: TOKEN };
const KUBELET = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\ncgroupDriver: systemd\n';

interface Maps {
  version?: string;
  name?: string;
  kubelet?: string;
}
function cluster({ version = 'v1.30.0', name = 'kubelet-config', kubelet = KUBELET }: Maps = {}): FakeCluster {
  const made = new FakeCluster(ca);
  made.put(configMapRef('kube-system', 'kubeadm-config'), {
    data: { ClusterConfiguration: `kubernetesVersion: ${version}\nclusterName: mine\n` },
  });
  made.put(configMapRef('kube-system', name), { data: { kubelet } });
  return made;
}
const hostIn = (serving: FakeCluster): MemoryHost => memoryHost({ now: () => NOW, send: serving.send });
const fetched = (serving: FakeCluster) => runPhase(clusterConfig, input, hostIn(serving));

itKeepsThePhaseContract(clusterConfig, {
  input,
  machine: () => ({ now: () => NOW, send: cluster().send }),
  secrets: [TOKEN_SECRET],
  changesNothing: true,
});

describe('the configuration of the cluster', () => {
  test('is told whole, and that of its kubelets', async () => {
    const { result } = await fetched(cluster({ kubelet: `${KUBELET}clusterDNS: [10.96.0.10]\n` }));
    expect(result.steps[0]).toMatchObject({
      notes: [{ level: 'info', text: 'the cluster is v1.30.0' }],
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

  test('is asked for with the bootstrap token', async () => {
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
  ])('of %s has that of its kubelets in the ConfigMap %s', async (version, name) => {
    expect((await fetched(cluster({ version, name }))).error).toBeUndefined();
    expect((await fetched(cluster({ version, name: 'kubelet-config-9.9' }))).error).toMatchObject({
      code: 'E_KUBELET_CONFIG',
      facts: { what: `kube-system has no ConfigMap ${name} with key kubelet` },
      exitCode: 5,
    });
  });

  test.each<[string, FakeCluster, string]>([
    [
      'there is no kubeadm-config',
      new FakeCluster(ca),
      'kube-system has no ConfigMap kubeadm-config with key ClusterConfiguration',
    ],
    ['the version is missing', cluster({ version: '' }), 'kubeadm-config has kubernetesVersion null'],
    ['the version is none', cluster({ version: 'latest' }), 'kubeadm-config has kubernetesVersion latest'],
    [
      'it is another kind',
      cluster({ kubelet: 'kind: KubeProxyConfiguration' }),
      'kubelet-config holds a KubeProxyConfiguration',
    ],
    [
      'the cgroup driver is none',
      cluster({ kubelet: 'kind: KubeletConfiguration\ncgroupDriver: upstart\n' }),
      'kubelet-config has cgroupDriver upstart',
    ],
    ['it is no mapping', cluster({ kubelet: 'text' }), 'kubelet-config: it is no mapping'],
    [
      'it is no YAML',
      cluster({ kubelet: 'a: [' }),
      'kubelet-config: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
  ])('cannot be used where %s', async (_, serving, what) => {
    expect((await fetched(serving)).error).toMatchObject({ code: 'E_KUBELET_CONFIG', facts: { what } });
  });

  test.each([
    [403, 'E_API_FORBIDDEN'],
    [401, 'E_API_UNAUTHORIZED'],
  ])('that may not be read (%i) is said so', async (status, code) => {
    const serving = cluster();
    serving.answers.set('GET /api/v1/namespaces/kube-system/configmaps/kubelet-config', serving.answer(status, {}));
    expect((await fetched(serving)).error).toMatchObject({ code });
  });
});
