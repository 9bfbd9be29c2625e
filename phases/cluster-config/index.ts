/** What the cluster wants of its nodes: two ConfigMaps of kubeadm's. Source: kubeadm, util/config/cluster. */
import {
  type ConfigMapObject,
  calls,
  clean,
  configMapRef,
  definePhase,
  fail,
  type KubeApi,
  minorOf,
  parseYaml,
} from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

/** Since 1.24 the ConfigMap has no version in its name. */
const UNVERSIONED_SINCE_MINOR = 24;
const KIND = 'KubeletConfiguration' as const;
const DRIVERS = ['systemd', 'cgroupfs'] as const;

export default definePhase({
  name: 'cluster-config',
  summary: "Read the cluster's configuration, and that of its kubelets",
  input,
  output,
  effects: [calls(['get'], 'configmaps', "kubeadm-config and the kubelet's configuration")],

  async run({ kube, log }, { server, ca, token }) {
    const api = kube.as({ server, ca, token });
    const cluster = await documentOf(api, 'kubeadm-config', 'ClusterConfiguration');
    const kubernetesVersion = String(cluster.kubernetesVersion);
    const minor = minorOf(kubernetesVersion);
    if (Number.isNaN(minor))
      throw fail('E_KUBELET_CONFIG', { what: `kubeadm-config has kubernetesVersion ${clean(kubernetesVersion)}` });
    const name = minor >= UNVERSIONED_SINCE_MINOR ? 'kubelet-config' : `kubelet-config-1.${minor}`;
    const { cgroupDriver, kind, ...kubelet } = await documentOf(api, name, 'kubelet');
    if (kind !== KIND) throw fail('E_KUBELET_CONFIG', { what: `${name} holds a ${clean(String(kind))}` });
    const driver = DRIVERS.find((known) => known === cgroupDriver);
    if (driver === undefined && cgroupDriver !== undefined)
      throw fail('E_KUBELET_CONFIG', { what: `${name} has cgroupDriver ${clean(String(cgroupDriver))}` });
    log.info(`the cluster is ${kubernetesVersion}`);
    return {
      clusterConfiguration: { ...cluster, kubernetesVersion },
      kubeletConfiguration: { ...kubelet, kind: KIND, ...(driver === undefined ? {} : { cgroupDriver: driver }) },
    };
  },
});

async function documentOf(api: KubeApi, name: string, key: string): Promise<Record<string, unknown>> {
  const map = await api.get<ConfigMapObject>(configMapRef('kube-system', name));
  const text = map?.data?.[key];
  if (text === undefined)
    throw fail('E_KUBELET_CONFIG', { what: `kube-system has no ConfigMap ${name} with key ${key}` });
  try {
    const document = parseYaml(text);
    if (typeof document !== 'object' || document === null) throw new Error('it is no mapping');
    return document as Record<string, unknown>;
  } catch (error) {
    throw fail('E_KUBELET_CONFIG', { what: `${name}: ${(error as Error).message}` }, error);
  }
}
