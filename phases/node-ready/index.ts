/** Watches the Node that the kubelet registers, and notes its CRI socket on it, as kubeadm does. */
import { conditionsOf, findCriSocket, isReady, type NodeObject, nodeRef } from '../../engine/node/index.ts';
import { apiCalls, clean, definePhase } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

const CRI_SOCKET = 'kubeadm.alpha.kubernetes.io/cri-socket';

export default definePhase({
  name: 'node-ready',
  summary: 'Watch the Node register, and become Ready where asked to',
  input,
  output,
  effects: [apiCalls(['watch', 'patch'], 'nodes', 'its registration; the annotation with its CRI socket')],
  irreversible: 'the Node stays until somebody deletes it: no identity on the machine may',

  async run({ files, kube, log }, { server, ca, certificate, key, nodeName, wait, startedAt, ...given }) {
    if (wait === 'started') {
      log.info('not waiting for the Node, so its CRI socket is not noted on it');
      return {};
    }
    const criSocket = await findCriSocket(files, given.criSocket);
    const api = kube.as({ server, ca, certificate: { pem: certificate, key } });
    const ref = nodeRef(nodeName);
    const since = startedAt === undefined ? undefined : new Date(startedAt);

    let node = await api.waitFor<NodeObject>(ref, (found) => isRegistered(found, since));
    const kubeletVersion = clean(versionOf(node));
    log.info(`Node ${nodeName} has registered (kubelet ${kubeletVersion})`);
    if (node.metadata.annotations?.[CRI_SOCKET] !== criSocket)
      node = await api.patch<NodeObject>(ref, { metadata: { annotations: { [CRI_SOCKET]: criSocket } } });
    if (wait === 'ready') {
      await api.waitFor<NodeObject>(ref, (found) => isReady(found) && isRegistered(found, since), node);
      log.info(`Node ${nodeName} is Ready`);
    }
    return { kubeletVersion };
  },
});

/** The kubelet that we started has written its status; a Node left by an earlier one has an older heartbeat. */
function isRegistered(node: NodeObject | undefined, since: Date | undefined): boolean {
  if (versionOf(node) === '') return false;
  if (node?.metadata.labels?.['kubernetes.io/hostname'] === undefined) return false;
  if (since === undefined) return true;
  const beat = conditionsOf(node).find(({ type }) => type === 'Ready')?.lastHeartbeatTime;
  // Kubernetes writes whole seconds.
  return beat === undefined || Date.parse(beat) + 1_000 > since.getTime();
}

function versionOf(node: NodeObject | undefined): string {
  const version: unknown = node?.status?.nodeInfo?.kubeletVersion;
  return typeof version === 'string' ? version : '';
}
