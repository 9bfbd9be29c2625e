/** Points the Node at the ConfigMap with the kubelet's configuration, and waits until the kubelet uses it. */
import { kubeletIdentity, type NodeObject, nodeRef } from '../../engine/node/index.ts';
import { apiCalls, clean, definePhase, fail, isJoinError, type KubeApi } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'dynamic-kubelet-config',
  summary: 'Configure the kubelet from the cluster, if DynamicKubeletConfig is on',
  input,
  output,
  effects: [apiCalls(['get', 'watch', 'patch'], 'nodes', 'its spec.configSource, and whether the kubelet uses it')],

  async run({ kube, log, signal }, { server, ca, certificate, key, nodeName, configSource }) {
    if (configSource === undefined) {
      log.info('nothing to do: the feature gate DynamicKubeletConfig is off');
      return {};
    }
    const api = kube.as({ server, ca, certificate: { pem: certificate, key } });
    const ref = nodeRef(nodeName);
    let node = await api.waitFor<NodeObject>(ref, (found) => found !== undefined);
    if (!includesFields(node.spec?.configSource, configSource)) node = await setSource(api, nodeName, configSource);
    if (node.spec?.configSource === undefined)
      throw fail('E_DYNAMIC_CONFIG_GONE', {
        server,
        what: 'ignores spec.configSource, because the feature is turned off',
      });

    let kubeletError = '';
    const isAssigned = (found: NodeObject | undefined): boolean => {
      const { assigned, error = '' } = found?.status?.config ?? {};
      kubeletError = clean(error); // it may pass: the kubelet retries
      return includesFields(assigned, configSource);
    };
    // Up to 1.10 a Node has no status.config, so there is nothing to wait for.
    if ('configMap' in configSource)
      await api.waitFor<NodeObject>(ref, isAssigned, node).catch((error: unknown) => {
        throw signal.aborted ? fail('E_DYNAMIC_CONFIG_IGNORED', { node: nodeName, said: kubeletError }, error) : error;
      });
    log.info(`the kubelet of ${nodeName} uses the configuration from the cluster, and restarts with it`);
    return {};
  },

  /** Without configSource, a kubelet that joins again starts with its own configuration. */
  async undo({ files, kube, log }, { nodeName, configSource }) {
    const held = await kubeletIdentity(files);
    if (held === undefined || configSource === undefined) return;
    const { server, ca, certificate: pem, key } = held;
    const api = kube.as({ server, ca, certificate: { pem, key } });
    try {
      const node = await api.get<NodeObject>(nodeRef(nodeName));
      if (includesFields(node?.spec?.configSource, configSource))
        await api.patch<NodeObject>(nodeRef(nodeName), { spec: { configSource: null } });
    } catch (error) {
      log.warn(`could not remove spec.configSource from Node ${nodeName} (${clean((error as Error).message)})`);
    }
  },
});

/** Throws E_DYNAMIC_CONFIG_FORBIDDEN if the admission plugin NodeRestriction denies it. */
async function setSource(api: KubeApi, node: string, configSource: object): Promise<NodeObject> {
  try {
    return await api.patch<NodeObject>(nodeRef(node), { spec: { configSource } });
  } catch (error) {
    const isRestricted =
      isJoinError(error) && error.code === 'E_API_FORBIDDEN' && error.message.includes('configSource');
    throw isRestricted
      ? fail('E_DYNAMIC_CONFIG_FORBIDDEN', { node, source: JSON.stringify(configSource) }, error)
      : error;
  }
}

/** Whether `actual` has every field of `expected`; it may have more, such as a uid. */
function includesFields(actual: unknown, expected: object): boolean {
  if (typeof actual !== 'object' || actual === null) return false;
  const fields = actual as Record<string, unknown>;
  return Object.entries(expected).every(([key, value]) =>
    typeof value === 'object' ? includesFields(fields[key], value) : fields[key] === value,
  );
}
