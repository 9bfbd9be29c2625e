/** Checks this machine against the cluster, after `preflight` and before anything is sent or written. */
import {
  assertCgroupDriver,
  assertClock,
  defaultCgroupDriver,
  ignoreRule,
  installedKubelet,
  isReady,
  joiningIdentity,
  minorOf,
  type NodeObject,
  usableIdentity,
  visibleNode,
} from '../../engine/node/index.ts';
import { apiCalls, definePhase, fail, isJoinError, type Ports, runs } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

/** A kubelet may be this many minor versions older than the API server. Source: Kubernetes' version skew policy. */
const OLDER_MINORS_MAX = 3;

export default definePhase({
  name: 'preflight-cluster',
  summary: 'Check this machine against the cluster',
  input,
  output,
  effects: [
    apiCalls(['get'], 'nodes', 'the check whether another machine has this name'),
    runs('kubelet', 'its version, if an earlier step did not determine it'),
  ],

  async run(ports, { nodeName, criSocket, clusterConfiguration, kubeletConfiguration, ...inputs }) {
    const isIgnored = ignoreRule(inputs.ignorePreflightErrors, inputs.ignoreChecksErrors);
    const { kube, commands, log } = ports;
    const { server, ca } = inputs.identity;
    const api = kube.as(joiningIdentity(inputs.identity));
    const cluster = clusterConfiguration.kubernetesVersion;
    const node = visibleNode(api, nodeName, log);
    const kubeletVersion =
      inputs.kubeletVersion === undefined ? installedKubelet(commands) : Promise.resolve(inputs.kubeletVersion);
    const assertDriver = async () => {
      const version = await kubeletVersion.catch(() => undefined); // another check reports a missing version
      const driver = kubeletConfiguration.cgroupDriver ?? defaultCgroupDriver(version);
      await assertCgroupDriver(ports, driver, { criSocket, kubeletVersion });
    };

    /** In the order in which failures are reported. Only a check with a name can be ignored. */
    const checks: { name?: string; outcome: Promise<void> }[] = [
      { outcome: node.then(() => assertClock(server, api.clockSkewMs())) },
      { outcome: node.then((found) => assertNameFree(ports, { server, ca, nodeName }, found)) },
      { name: 'KubeletVersion', outcome: kubeletVersion.then((kubelet) => assertSkew(kubelet, cluster)) },
      // Patches may set another driver; `kubelet-config` applies them and then checks it.
      ...(inputs.patches === undefined ? [{ name: 'CgroupDriver', outcome: assertDriver() }] : []),
    ];
    const errors = new Set<unknown>();
    for (const [index, outcome] of (await Promise.allSettled(checks.map(({ outcome }) => outcome))).entries()) {
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

/**
 * Throws E_NODE_EXISTS if a Ready Node of that name belongs to another machine. Source: kubeadm, phases/kubelet-start.
 */
async function assertNameFree(
  ports: Ports,
  subject: { server: string; ca: string; nodeName: string },
  node: NodeObject | undefined,
): Promise<void> {
  if (isReady(node) && (await usableIdentity(ports, subject)) === undefined)
    throw fail('E_NODE_EXISTS', { node: subject.nodeName });
}

function assertSkew(kubelet: string, cluster: string): void {
  const older = minorOf(cluster) - minorOf(kubelet);
  if (older < 0 || older > OLDER_MINORS_MAX)
    throw fail('E_VERSION_SKEW', { kubelet, cluster, minorsMax: OLDER_MINORS_MAX });
}
