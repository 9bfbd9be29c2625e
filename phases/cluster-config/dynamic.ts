/**
 * Dynamic kubelet configuration: the form in which a Node's spec.configSource names a ConfigMap.
 * Source: Kubernetes API, core/v1 NodeConfigSource, 1.8 to 1.23.
 */
import { holds } from '../../engine/node/index.ts';
import { fail, type Gate, type KubeApi } from '../../engine/sdk/index.ts';

export const DYNAMIC_KUBELET_CONFIG: Gate = {
  name: 'DynamicKubeletConfig',
  stage: 'ALPHA',
  default: false,
  since: '1.9',
  until: '1.13',
  what: 'the kubelet follows a ConfigMap in the cluster for its configuration',
};

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
  if (!holds('dynamicKubeletConfig', version))
    throw fail('E_DYNAMIC_CONFIG_GONE', {
      server,
      what: `is ${version}, and 1.23 was the last release with the feature`,
    });
  const namespace = 'kube-system';
  return holds('configSourceNamesKey', version)
    ? { configMap: { namespace, name, kubeletConfigKey: 'kubelet' } }
    : { configMapRef: { namespace, name, uid } };
}
