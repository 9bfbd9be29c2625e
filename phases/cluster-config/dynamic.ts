/**
 * Dynamic kubelet configuration: the form in which a Node's spec.configSource names a ConfigMap.
 * Source: Kubernetes API, core/v1 NodeConfigSource, 1.8 to 1.23.
 */
import { fail, type Gate, type KubeApi } from '../../engine/sdk/index.ts';

export const DYNAMIC_KUBELET_CONFIG: Gate = {
  name: 'DynamicKubeletConfig',
  stage: 'ALPHA',
  default: false,
  since: '1.9',
  until: '1.13',
  what: 'the kubelet follows a ConfigMap in the cluster for its configuration',
};

const NAMES_KEY_SINCE_MINOR = 11;
const GONE_SINCE_MINOR = 24;

/**
 * Builds a configSource in the form that this server accepts. Throws E_DYNAMIC_CONFIG_GONE if the server is too new for
 * any.
 */
export async function configSourceFor(
  api: KubeApi,
  server: string,
  { name, uid }: { name: string; uid: string | undefined },
): Promise<object> {
  const version = await api.serverVersion();
  const minor = Number(/^v1\.(\d+)/.exec(version)?.[1]);
  if (!(minor < GONE_SINCE_MINOR))
    throw fail('E_DYNAMIC_CONFIG_GONE', {
      server,
      what: `is ${version}, and 1.23 was the last release with the feature`,
    });
  const namespace = 'kube-system';
  return minor >= NAMES_KEY_SINCE_MINOR
    ? { configMap: { namespace, name, kubeletConfigKey: 'kubelet' } }
    : { configMapRef: { namespace, name, uid } };
}
