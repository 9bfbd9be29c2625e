/** The cluster's KubeletConfiguration, with kubeadm's defaults. Source: kubeadm, componentconfigs/kubelet. */
import { stringify } from 'yaml';
import {
  type ConfigMapObject,
  configMapRef,
  type Files,
  fail,
  healthUrl,
  type KubeApi,
  parseYaml,
  type Services,
  shown,
} from '../../engine/sdk/index.ts';

const RESOLVED_CONF = '/run/systemd/resolve/resolv.conf';
/** Since 1.24 the ConfigMap has no version in its name. */
const UNVERSIONED_SINCE_MINOR = 24;

export interface Configuration {
  yaml: string;
  cgroupDriver: string;
  /** Name of its ConfigMap, in kube-system. */
  configMap: string;
}

export async function fetchConfiguration(
  ports: { files: Files; services: Services },
  api: KubeApi,
): Promise<Configuration> {
  const cluster = await configMapDocument(api, 'kubeadm-config', 'ClusterConfiguration');
  const minor = /^v?1\.(\d+)\./.exec(shown(cluster.kubernetesVersion))?.[1];
  if (minor === undefined)
    throw fail('E_KUBELET_CONFIG', {
      what: `kubeadm-config has kubernetesVersion ${shown(cluster.kubernetesVersion)}`,
    });
  const name = Number(minor) >= UNVERSIONED_SINCE_MINOR ? 'kubelet-config' : `kubelet-config-1.${minor}`;
  const document = await configMapDocument(api, name, 'kubelet');
  if (document.kind !== 'KubeletConfiguration')
    throw fail('E_KUBELET_CONFIG', { what: `${name} holds a ${shown(document.kind)}` });
  if (healthUrl(document) === undefined)
    throw fail('E_KUBELET_CONFIG', {
      what: `${name} has healthzBindAddress ${shown(document.healthzBindAddress)} and healthzPort ${shown(document.healthzPort)}`,
    });
  const resolvConf = (await usesResolved(ports)) ? { resolvConf: RESOLVED_CONF } : {};
  const merged = { staticPodPath: '/etc/kubernetes/manifests', ...resolvConf, ...document, rotateCertificates: true };
  return {
    // Sorted and unindented, as Go's marshaller has it: a machine that kubeadm joined sees no change.
    yaml: stringify(merged, { sortMapEntries: true, indentSeq: false, lineWidth: 0 }),
    cgroupDriver: shown(document.cgroupDriver ?? (Number(minor) >= 22 ? 'systemd' : 'cgroupfs')),
    configMap: name,
  };
}

async function configMapDocument(api: KubeApi, name: string, key: string): Promise<Record<string, unknown>> {
  const map = await api.get<ConfigMapObject>(configMapRef('kube-system', name));
  const text: unknown = map?.data?.[key];
  if (typeof text !== 'string')
    throw fail('E_KUBELET_CONFIG', { what: `kube-system has no ConfigMap ${name} with key ${key}` });
  try {
    const document = parseYaml(text);
    if (typeof document !== 'object' || document === null) throw new Error('it is no mapping');
    return document as Record<string, unknown>;
  } catch (error) {
    throw fail('E_KUBELET_CONFIG', { what: `${name}: ${(error as Error).message}` }, error);
  }
}

/** With systemd-resolved, /etc/resolv.conf names a stub that Pods cannot reach. */
const usesResolved = async ({ files, services }: { files: Files; services: Services }): Promise<boolean> =>
  (await files.stat(RESOLVED_CONF)) !== undefined && (await services.status('systemd-resolved')).active;
