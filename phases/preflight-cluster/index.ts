/** Checks this machine against the cluster, after `preflight` and before anything is sent or written. */
import {
  assertCgroupDriver,
  assertCgroups,
  assertClock,
  assertNoOtherCa,
  defaultCgroupDriver,
  holds,
  ignoreRule,
  installedKubelet,
  isReady,
  joiningIdentity,
  kubeletConfigurationOf,
  minorOf,
  type NodeObject,
  originOf,
  usableIdentity,
  visibleNode,
} from '../../engine/node/index.ts';
import { apiCalls, definePhase, fail, isJoinError, type Ports, runs } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

const DRIVERS = ['systemd', 'cgroupfs'] as const;
/** The step that writes the configuration reports its patches. */
const SILENT = { info: () => undefined, warn: () => undefined };

export default definePhase({
  name: 'preflight-cluster',
  summary: 'Check this machine against the cluster',
  input,
  output,
  effects: [
    apiCalls(['get'], 'nodes', 'the check whether another machine has this name'),
    runs('kubelet', 'its version, if an earlier step did not determine it'),
  ],

  async run(ports, { nodeName, criSocket, caCertPath, clusterConfiguration, kubeletConfiguration, ...inputs }) {
    const isIgnored = ignoreRule(inputs.ignorePreflightErrors, inputs.ignoreChecksErrors);
    const { files, kube, commands, log } = ports;
    const { server, ca } = inputs.identity;
    const api = kube.as(joiningIdentity(inputs.identity));
    const cluster = clusterConfiguration.kubernetesVersion;
    const node = visibleNode(api, nodeName, log);
    const kubeletVersion =
      inputs.kubeletVersion === undefined ? installedKubelet(commands) : Promise.resolve(inputs.kubeletVersion);
    const document = kubeletVersion.then((version) =>
      kubeletConfigurationOf({ ...ports, log: SILENT }, kubeletConfiguration, {
        kubeletVersion: version,
        clusterConfiguration,
        caCertPath,
        patches: inputs.patches,
      }),
    );
    const sources = { clusterConfiguration, kubeletConfiguration, patches: inputs.patches };
    const assertDriver = async () => {
      const standard = defaultCgroupDriver(await kubeletVersion);
      const { cgroupDriver: value } = await document;
      const driver = DRIVERS.find((known) => known === value) ?? standard;
      const origin = originOf('cgroupDriver', { value: driver, standard }, sources);
      await assertCgroupDriver(ports, { driver, origin }, { criSocket, kubeletVersion });
    };

    /** In the order in which failures are reported. Only a check with a name can be ignored. */
    const checks: { name?: string; outcome: Promise<void> }[] = [
      { outcome: node.then(() => assertClock(server, api.clockSkewMs())) },
      { outcome: node.then((found) => assertNameFree(ports, { server, ca, nodeName }, found)) },
      { outcome: kubeletVersion.then((kubelet) => assertNotTooNew(kubelet, cluster)) },
      { name: 'KubeletVersion', outcome: kubeletVersion.then((kubelet) => assertSkew(kubelet, cluster)) },
      { outcome: assertNoOtherCa(files, caCertPath, ca) },
      { outcome: document.then(() => undefined) },
      { name: 'CgroupDriver', outcome: assertDriver() },
      {
        name: 'SystemVerification',
        outcome: document.then(async (config) => assertCgroups(files, await kubeletVersion, config, sources)),
      },
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

/** Source: Kubernetes' version skew policy. kubeadm accepts a kubelet that is one minor version newer. */
function assertSkew(kubelet: string, cluster: string): void {
  const older = minorOf(cluster) - minorOf(kubelet);
  const minorsMax = holds('olderKubelets', cluster) ? 3 : 2;
  if (older === -1 || older > minorsMax) throw fail('E_VERSION_SKEW', { kubelet, cluster, minorsMax });
}

/** Source: kubeadm, util/config/common.go: it deploys its own minor version and the one before. */
function assertNotTooNew(kubelet: string, cluster: string): void {
  const newer = minorOf(kubelet) - minorOf(cluster);
  if (newer > 1) throw fail('E_VERSION_TOO_NEW', { kubelet, cluster });
}
