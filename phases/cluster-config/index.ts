/**
 * Reads kubeadm's two ConfigMaps: the cluster's configuration and its kubelets'. Source: kubeadm, util/config/cluster.
 */
import {
  type ConfigMapObject,
  configMapRef,
  healthUrl,
  joiningIdentity,
  kubeletConfigMap,
  minorOf,
  wrongKubeletField,
} from '../../engine/node/index.ts';
import {
  apiCalls,
  defined,
  definePhase,
  fail,
  type JoinError,
  type KubeApi,
  parseYaml,
  valueText,
} from '../../engine/sdk/index.ts';
import { configSourceFor, DYNAMIC_KUBELET_CONFIG } from './dynamic.ts';
import { openingsIn } from './openings.ts';
import { input, output } from './schema.ts';

const KIND = 'KubeletConfiguration' as const;
const DRIVERS = ['systemd', 'cgroupfs'] as const;

export default definePhase({
  name: 'cluster-config',
  summary: 'Read the configuration of the cluster and of its kubelets',
  input,
  output,
  gates: [DYNAMIC_KUBELET_CONFIG],
  effects: [apiCalls(['get'], 'configmaps', "kubeadm-config and the kubelet's configuration")],

  async run({ kube, log }, inputs) {
    const api = kube.as(joiningIdentity(inputs.identity));
    const cluster = await documentOf(api, 'kubeadm-config', 'ClusterConfiguration');
    const kubernetesVersion = valueText(cluster.document.kubernetesVersion);
    const minor = minorOf(kubernetesVersion);
    if (Number.isNaN(minor))
      throw refusalOf(
        'kubeadm-config',
        'ClusterConfiguration',
      )(`it has the invalid kubernetesVersion ${kubernetesVersion}`);
    const name = kubeletConfigMap({ kubernetesVersion });
    const { document, uid } = await documentOf(api, name, 'kubelet');
    const kubeletConfiguration = checkedConfiguration(name, document);
    for (const opening of openingsIn(kubeletConfiguration)) log.warn(`${name} opens every node: ${opening}`);
    const configSource = inputs.dynamic ? await configSourceFor(api, inputs.identity.server, { name, uid }) : undefined;
    log.info(`the cluster runs Kubernetes ${kubernetesVersion}`);
    return {
      clusterConfiguration: { ...cluster.document, kubernetesVersion },
      kubeletConfiguration,
      ...defined({ configSource }),
    };
  },
});

/** Throws E_KUBELET_CONFIG if a kubelet or a later step cannot use the document. */
function checkedConfiguration(name: string, { cgroupDriver, kind, ...rest }: Record<string, unknown>) {
  const refuse = refusalOf(name, 'kubelet');
  if (kind !== KIND) throw refuse(`it has the kind ${valueText(kind)}, not ${KIND}`);
  const driver = DRIVERS.find((known) => known === cgroupDriver);
  if (driver === undefined && cgroupDriver !== undefined && cgroupDriver !== '')
    throw refuse(`it has the unknown cgroupDriver ${valueText(cgroupDriver)}`);
  if (healthUrl(rest) === undefined)
    throw refuse(
      `it has an invalid healthzBindAddress (${valueText(rest.healthzBindAddress)}) or healthzPort ` +
        `(${valueText(rest.healthzPort)})`,
    );
  const wrong = wrongKubeletField(rest);
  if (wrong !== undefined) throw refuse(`it has ${wrong}`);
  return { ...rest, kind: KIND, ...defined({ cgroupDriver: driver }) };
}

const refusalOf =
  (name: string, key: string) =>
  (what: string, cause?: unknown): JoinError =>
    fail('E_KUBELET_CONFIG', { what: `ConfigMap kube-system/${name}, key ${key}: ${what}` }, cause);

async function documentOf(api: KubeApi, name: string, key: string) {
  const map = await api.get<ConfigMapObject>(configMapRef('kube-system', name));
  const text: unknown = map?.data?.[key];
  if (typeof text !== 'string')
    throw fail('E_KUBELET_CONFIG', { what: `there is no ConfigMap ${name} with the key ${key} in kube-system` });
  try {
    const document = parseYaml(text);
    if (typeof document !== 'object' || document === null) throw new Error('it is not a mapping');
    return { document: document as Record<string, unknown>, uid: map?.metadata?.uid };
  } catch (error) {
    throw refusalOf(name, key)((error as Error).message, error);
  }
}
