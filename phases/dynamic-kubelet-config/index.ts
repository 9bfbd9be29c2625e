/** Points the Node at the ConfigMap that its kubelet is to be configured by, and sees the kubelet take it up. */
import { kubeletIdentity, type NodeObject, nodeRef } from '../../engine/node/index.ts';
import { apiCalls, clean, definePhase, fail, isJoinError, type KubeApi } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'dynamic-kubelet-config',
  summary: 'Where DynamicKubeletConfig is on: have the kubelet take its configuration from the cluster',
  input,
  output,
  effects: [apiCalls(['get', 'watch', 'patch'], 'nodes', 'its spec.configSource, and what the kubelet makes of it')],

  async run({ kube, log, signal }, { server, ca, certificate, key, nodeName, configSource }) {
    if (configSource === undefined) {
      log.info('nothing to do: the feature gate DynamicKubeletConfig is off');
      return {};
    }
    const api = kube.as({ server, ca, certificate: { pem: certificate, key } });
    const ref = nodeRef(nodeName);
    let node = await api.waitFor<NodeObject>(ref, (found) => found !== undefined);
    if (!says(node.spec?.configSource, configSource)) node = await setSource(api, nodeName, configSource);
    if (node.spec?.configSource === undefined)
      throw fail('E_DYNAMIC_CONFIG_GONE', { server, what: 'drops spec.configSource: it has the feature turned off' });

    let said = '';
    const isAssigned = (found: NodeObject | undefined): boolean => {
      const { assigned, error = '' } = found?.status?.config ?? {};
      said = clean(error); // it may pass: the kubelet tries again
      return says(assigned, configSource);
    };
    // Up to 1.10 a Node does not tell what its kubelet makes of it.
    if ('configMap' in configSource)
      await api.waitFor<NodeObject>(ref, isAssigned, node).catch((error: unknown) => {
        throw signal.aborted ? fail('E_DYNAMIC_CONFIG_IGNORED', { node: nodeName, said }, error) : error;
      });
    log.info(`the kubelet of ${nodeName} takes its configuration from the cluster, and starts itself again with it`);
    return {};
  },

  /** A kubelet that is joined anew begins with its own configuration again. */
  async undo({ files, kube, log }, { nodeName, configSource }) {
    const held = await kubeletIdentity(files);
    if (held === undefined || configSource === undefined) return;
    const { server, ca, certificate: pem, key } = held;
    const api = kube.as({ server, ca, certificate: { pem, key } });
    try {
      const node = await api.get<NodeObject>(nodeRef(nodeName));
      if (says(node?.spec?.configSource, configSource))
        await api.patch<NodeObject>(nodeRef(nodeName), { spec: { configSource: null } });
    } catch (error) {
      log.warn(`spec.configSource of Node ${nodeName} stays (${clean((error as Error).message)})`);
    }
  },
});

/** E_DYNAMIC_CONFIG_FORBIDDEN where the admission plugin NodeRestriction is on. */
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

/** `there` says all that `wanted` does, and maybe more: a uid, say. */
function says(there: unknown, wanted: object): boolean {
  if (typeof there !== 'object' || there === null) return false;
  const has = there as Record<string, unknown>;
  return Object.entries(wanted).every(([key, value]) =>
    typeof value === 'object' ? says(has[key], value) : has[key] === value,
  );
}
