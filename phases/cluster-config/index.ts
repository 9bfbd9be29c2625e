/** What the cluster wants of its nodes: two ConfigMaps of kubeadm's. Source: kubeadm, util/config/cluster. */
import { type ConfigMapObject, configMapRef, healthUrl, joiningIdentity, minorOf } from '../../engine/node/index.ts';
import { apiCalls, definePhase, fail, type KubeApi, parseYaml, valueText } from '../../engine/sdk/index.ts';
import { configSourceFor, DYNAMIC_KUBELET_CONFIG } from './dynamic.ts';
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
  gates: [DYNAMIC_KUBELET_CONFIG],
  effects: [apiCalls(['get'], 'configmaps', "kubeadm-config and the kubelet's configuration")],

  async run({ kube, log }, given) {
    const api = kube.as(joiningIdentity(given));
    const cluster = await documentOf(api, 'kubeadm-config', 'ClusterConfiguration');
    const kubernetesVersion = valueText(cluster.document.kubernetesVersion);
    const minor = minorOf(kubernetesVersion);
    if (Number.isNaN(minor))
      throw fail('E_KUBELET_CONFIG', { what: `kubeadm-config has kubernetesVersion ${kubernetesVersion}` });
    const name = minor >= UNVERSIONED_SINCE_MINOR ? 'kubelet-config' : `kubelet-config-1.${minor}`;
    const { document, uid } = await documentOf(api, name, 'kubelet');
    const kubeletConfiguration = checkedConfiguration(name, document);
    const configSource = given.dynamic ? await configSourceFor(api, given.server, { name, uid }) : undefined;
    log.info(`the cluster is ${kubernetesVersion}`);
    return {
      clusterConfiguration: { ...cluster.document, kubernetesVersion },
      kubeletConfiguration,
      ...(configSource === undefined ? {} : { configSource }),
    };
  },
});

/** E_KUBELET_CONFIG where it is not what a kubelet, or a later step, can use. */
function checkedConfiguration(name: string, { cgroupDriver, kind, ...rest }: Record<string, unknown>) {
  const refuse = (what: string) => fail('E_KUBELET_CONFIG', { what: `${name} ${what}` });
  if (kind !== KIND) throw refuse(`holds a ${valueText(kind)}`);
  const driver = DRIVERS.find((known) => known === cgroupDriver);
  if (driver === undefined && cgroupDriver !== undefined) throw refuse(`has cgroupDriver ${valueText(cgroupDriver)}`);
  if (healthUrl(rest) === undefined)
    throw refuse(
      `has healthzBindAddress ${valueText(rest.healthzBindAddress)} and healthzPort ${valueText(rest.healthzPort)}`,
    );
  return { ...rest, kind: KIND, ...(driver === undefined ? {} : { cgroupDriver: driver }) };
}

async function documentOf(api: KubeApi, name: string, key: string) {
  const map = await api.get<ConfigMapObject>(configMapRef('kube-system', name));
  const text: unknown = map?.data?.[key];
  if (typeof text !== 'string')
    throw fail('E_KUBELET_CONFIG', { what: `kube-system has no ConfigMap ${name} with key ${key}` });
  try {
    const document = parseYaml(text);
    if (typeof document !== 'object' || document === null) throw new Error('it is no mapping');
    return { document: document as Record<string, unknown>, uid: map?.metadata?.uid };
  } catch (error) {
    throw fail('E_KUBELET_CONFIG', { what: `${name}: ${(error as Error).message}` }, error);
  }
}
