/** Dynamic kubelet configuration: how a Node's spec.configSource names a ConfigMap. Source: Kubernetes API, core/v1 NodeConfigSource, 1.8 to 1.23. */
import { fail, type Gate, type KubeApi } from '../../engine/sdk/index.ts';

export const DYNAMIC_KUBELET_CONFIG: Gate = {
  ...{ name: 'DynamicKubeletConfig', stage: 'ALPHA', default: false, since: '1.9', until: '1.13' },
  what: 'the kubelet takes its configuration from a ConfigMap in the cluster, and changes with it',
};

const NAMES_KEY_SINCE_MINOR = 11;
const GONE_SINCE_MINOR = 24;

/** For a ConfigMap in kube-system. In the shape that this server takes; E_DYNAMIC_CONFIG_GONE where it takes none any more. */
export async function configSourceFor(
  api: KubeApi,
  server: string,
  { name, uid }: { name: string; uid: string | undefined },
): Promise<object> {
  const version = await api.serverVersion();
  const minor = Number(/^v1\.(\d+)/.exec(version)?.[1]);
  if (!(minor < GONE_SINCE_MINOR))
    throw fail('E_DYNAMIC_CONFIG_GONE', { server, what: `is ${version}: 1.23 was the last release with the feature` });
  const namespace = 'kube-system';
  return minor >= NAMES_KEY_SINCE_MINOR
    ? { configMap: { namespace, name, kubeletConfigKey: 'kubelet' } }
    : { configMapRef: { namespace, name, uid } };
}
