/** Whether this machine fits this cluster: all at once, after `preflight` and before anything is sent or written. */
import {
  assertCgroupDriver,
  assertClock,
  ignoreRule,
  installedKubelet,
  isReady,
  joiningIdentity,
  minorOf,
  type NodeObject,
  usableIdentity,
  visibleNode,
} from '../../engine/node/index.ts';
import {
  apiCalls,
  type CgroupDriver,
  definePhase,
  fail,
  isJoinError,
  type Ports,
  runs,
} from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

/** A kubelet may be this much older than its API server. Source: Kubernetes' version skew policy. */
const OLDER_MINORS_MAX = 3;
/** kubeadm's default; before, the kubelet's own holds. */
const SYSTEMD_SINCE_MINOR = 22;

export default definePhase({
  name: 'preflight-cluster',
  summary: 'Check that this machine fits the cluster',
  input,
  output,
  effects: [
    apiCalls(['get'], 'nodes', 'whether another machine holds the name'),
    runs('kubelet', 'its version, where preflight has not told it'),
  ],

  async run(ports, { nodeName, criSocket, clusterConfiguration, kubeletConfiguration, ...given }) {
    const isIgnored = ignoreRule(given.ignorePreflightErrors, given.ignoreChecksErrors);
    const { kube, commands, log } = ports;
    const { server, ca } = given;
    const api = kube.as(joiningIdentity(given));
    const cluster = clusterConfiguration.kubernetesVersion;
    const node = visibleNode(api, nodeName, log);
    const kubeletVersion =
      given.kubeletVersion === undefined ? installedKubelet(commands) : Promise.resolve(given.kubeletVersion);
    const driver = kubeletConfiguration.cgroupDriver ?? driverOf(cluster);

    /** In the order in which they are told; one with a name can be ignored. */
    const checks: { name?: string; made: Promise<void> }[] = [
      { made: node.then(() => assertClock(server, api.clockSkewMs())) },
      { made: node.then((found) => assertNameFree(ports, { server, ca, nodeName }, found)) },
      { name: 'KubeletVersion', made: kubeletVersion.then((kubelet) => assertSkew(kubelet, cluster)) },
      // Patches may say another, and so they are waited for.
      ...(given.patches === undefined
        ? [{ name: 'CgroupDriver', made: assertCgroupDriver(ports, driver, { criSocket, kubeletVersion }) }]
        : []),
    ];
    const errors = new Set<unknown>();
    for (const [index, outcome] of (await Promise.allSettled(checks.map(({ made }) => made))).entries()) {
      if (outcome.status === 'fulfilled') continue;
      const name = checks[index]?.name;
      const { reason } = outcome;
      if (name !== undefined && isIgnored(name) && isJoinError(reason)) log.warn(`[${name}] ${reason.message}`);
      else errors.add(reason);
    }
    const [first, ...others] = errors;
    for (const error of others) log.warn((error as Error).message);
    if (first !== undefined) throw first;
    return {};
  },
});

const driverOf = (clusterVersion: string): CgroupDriver =>
  minorOf(clusterVersion) >= SYSTEMD_SINCE_MINOR ? 'systemd' : 'cgroupfs';

/** E_NODE_EXISTS where a Ready Node of that name is not this machine's. Source: kubeadm, phases/kubelet-start. */
async function assertNameFree(
  ports: Ports,
  wanted: { server: string; ca: string; nodeName: string },
  node: NodeObject | undefined,
): Promise<void> {
  if (isReady(node) && (await usableIdentity(ports, wanted)) === undefined)
    throw fail('E_NODE_EXISTS', { node: wanted.nodeName });
}

function assertSkew(kubelet: string, cluster: string): void {
  const older = minorOf(cluster) - minorOf(kubelet);
  if (older < 0 || older > OLDER_MINORS_MAX)
    throw fail('E_VERSION_SKEW', { kubelet, cluster, minorsMax: OLDER_MINORS_MAX });
}
