/** Marks the Node as a control plane by labels and taints. Source: kubeadm, phases/markcontrolplane. */
import { adminIdentity, controlPlaneSettings, holds, type NodeObject, nodeRef } from '../../engine/node/index.ts';
import { apiCalls, definePhase } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

const ROLE = 'node-role.kubernetes.io/control-plane';
const OLD_ROLE = 'node-role.kubernetes.io/master';
const NO_LOAD_BALANCER = 'node.kubernetes.io/exclude-from-external-load-balancers';

interface Taint {
  key: string;
  value?: string;
  effect: string;
  timeAdded?: string;
}

export default definePhase({
  name: 'mark-control-plane',
  summary: 'Mark the Node as a control plane',
  input,
  output,
  effects: [apiCalls(['get', 'watch', 'patch'], 'nodes', 'sets the labels and taints of a control plane')],
  irreversible: 'the labels and taints go with the Node, which an administrator deletes',

  async run({ files, kube, log }, { nodeName, clusterConfiguration, taints }) {
    const { version } = controlPlaneSettings(clusterConfiguration);
    const api = kube.as(await adminIdentity(files));
    const ref = nodeRef(nodeName);
    // The kubelet sets this label when it registers the Node.
    const isRegistered = (found: NodeObject | undefined) =>
      found?.metadata.labels?.['kubernetes.io/hostname'] !== undefined;
    const node = await api.waitFor<NodeObject>(ref, isRegistered);
    const labels = Object.fromEntries(labelsOf(version).map((label) => [label, '']));
    const wanted: Taint[] = taints ?? taintKeysOf(version).map((key) => ({ key, effect: 'NoSchedule' }));
    const there = taintsOf(node);
    const missing = wanted.filter((taint) => !there.some((other) => isSame(taint, other)));
    const isLabelled = Object.keys(labels).every((label) => node.metadata.labels?.[label] === '');
    if (isLabelled && missing.length === 0) {
      log.info(`Node ${nodeName} is marked as a control plane`);
      return {};
    }
    const others = there.filter((taint) => !wanted.some((other) => isSame(taint, other)));
    await api.patch<NodeObject>(ref, { metadata: { labels }, spec: { taints: [...wanted, ...others] } });
    return {};
  },
});

function labelsOf(version: string): string[] {
  if (holds('noMasterLabel', version)) return [ROLE, NO_LOAD_BALANCER];
  return holds('controlPlaneLabel', version) ? [ROLE, OLD_ROLE] : [OLD_ROLE];
}

function taintKeysOf(version: string): string[] {
  if (holds('noMasterTaint', version)) return [ROLE];
  return holds('noMasterLabel', version) ? [OLD_ROLE, ROLE] : [OLD_ROLE];
}

const taintsOf = (node: NodeObject): Taint[] =>
  (Array.isArray(node.spec?.taints) ? node.spec.taints : []).map((taint) => taint as Taint);

const isSame = (a: Taint, b: Taint): boolean =>
  a.key === b.key && (a.value ?? '') === (b.value ?? '') && a.effect === b.effect;
