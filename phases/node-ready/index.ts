/** Waits for the Node that the kubelet registers and annotates it with the CRI socket, as kubeadm does up to 1.35. */
import {
  conditionsOf,
  isReady,
  isSocketAnnotated,
  type NodeObject,
  nodeRef,
  writtenSocket,
} from '../../engine/node/index.ts';
import {
  apiCalls,
  clean,
  definePhase,
  isTimeLimit,
  type KubeApi,
  type Services,
  withWitness,
} from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

const CRI_SOCKET = 'kubeadm.alpha.kubernetes.io/cri-socket';

export default definePhase({
  name: 'node-ready',
  summary: 'Wait until the Node has registered, and is Ready if required',
  input,
  output,
  effects: [apiCalls(['watch', 'patch'], 'nodes', 'waits for its registration and sets the CRI socket annotation')],
  irreversible: 'the Node remains until an administrator deletes it; no credentials on this machine allow that',

  async run({ files, runtime, services, kube, log }, inputs) {
    const { server, ca, certificate, key, nodeName, clusterConfiguration, wait, startedAt } = inputs;
    if (wait === 'started') {
      log.info('not waiting for the Node, so it does not get a CRI socket annotation');
      return {};
    }
    const api = kube.as({ server, ca, certificate: { pem: certificate, key } });
    const ref = nodeRef(nodeName);
    const since = startedAt === undefined ? undefined : new Date(startedAt);

    let node = await waitForNode({ api, services }, nodeName, (found) => isRegistered(found, since));
    const kubeletVersion = clean(versionOf(node));
    log.info(`Node ${nodeName} has registered (kubelet ${kubeletVersion})`);
    const release = inputs.kubeletVersion ?? kubeletVersion;
    const isAnnotated = isSocketAnnotated(release, clusterConfiguration);
    const criSocket = isAnnotated ? await writtenSocket({ files, runtime }, inputs.criSocket, release) : undefined;
    if (criSocket !== undefined && node.metadata.annotations?.[CRI_SOCKET] !== criSocket)
      node = await api.patch<NodeObject>(ref, { metadata: { annotations: { [CRI_SOCKET]: criSocket } } });
    if (wait === 'ready') {
      await waitForNode({ api, services }, nodeName, (found) => isReady(found) && isRegistered(found, since), node);
      log.info(`Node ${nodeName} is Ready`);
    }
    return { kubeletVersion };
  },
});

/** A wait that times out ends with the conditions of the Node and with the last error of the kubelet. */
async function waitForNode(
  { api, services }: { api: KubeApi; services: Services },
  name: string,
  done: (found: NodeObject | undefined) => boolean,
  from?: NodeObject,
): Promise<NodeObject> {
  let last = from;
  const see = (found: NodeObject | undefined) => {
    last = found;
    return done(found);
  };
  try {
    return await api.waitFor<NodeObject>(nodeRef(name), see, from);
  } catch (error) {
    if (!isTimeLimit(error)) throw error;
    throw withWitness(
      error,
      `${stateOf(name, last)}; last error of the kubelet: ${await services.lastError('kubelet')}`,
    );
  }
}

function stateOf(name: string, node: NodeObject | undefined): string {
  if (node === undefined) return `there is no Node ${name} in the cluster`;
  if (isReady(node)) return `Node ${name} exists, and this kubelet has not written its status`;
  const { reason = '', message = '' } = conditionsOf(node).find(({ type }) => type === 'Ready') ?? {};
  const why = [reason, message].filter(Boolean).join(': ') || 'it has no condition Ready';
  return clean(`Node ${name} is not Ready: ${why}`);
}

/** Whether this kubelet has written its status. A Node that remains from an earlier join has an older heartbeat. */
function isRegistered(node: NodeObject | undefined, since: Date | undefined): boolean {
  if (versionOf(node) === '') return false;
  if (node?.metadata.labels?.['kubernetes.io/hostname'] === undefined) return false;
  if (since === undefined) return true;
  const beat = conditionsOf(node).find(({ type }) => type === 'Ready')?.lastHeartbeatTime;
  // Heartbeats have whole seconds.
  return beat === undefined || Date.parse(beat) + 1_000 > since.getTime();
}

function versionOf(node: NodeObject | undefined): string {
  const version: unknown = node?.status?.nodeInfo?.kubeletVersion;
  return typeof version === 'string' ? version : '';
}
