/** With engine/pki, all that a phase or plugin imports. */

export { assertCgroupDriver } from '../node/cgroup-driver.ts';
export { readClusterInfo } from '../node/cluster-info.ts';
export * from '../node/cri.ts';
export * from '../node/identity.ts';
export * from '../node/kernel.ts';
export {
  base64Text,
  clusterNamed,
  currentContext,
  type Kubeconfig,
  type KubeconfigCluster,
  readKubeconfig,
} from '../node/kubeconfig.ts';
export { healthUrl, installedKubelet, minorOf } from '../node/kubelet.ts';
export { type Ending, endKubelet, kubeletData } from '../node/shut-down-kubelet.ts';
export { seenNode } from '../node/visible-node.ts';
export type { Bounds } from './bounds.ts';
export { type CheckResult, ignoreRule } from './checks.ts';
export { assertClock } from './clock.ts';
export * from './effects.ts';
export {
  type ErrorCode,
  EXIT,
  errorCodes,
  fail,
  isJoinError,
  JoinError,
  type OwnError,
  type Problem,
} from './errors.ts';
export { discoveryOutput, fields } from './fields.ts';
export * from './gates.ts';
export * from './install.ts';
export { jsonPatched } from './json-patch.ts';
export * from './objects.ts';
export { paths } from './paths.ts';
export { type AnyPhase, definePhase, type Phase, type PhaseOrigin, type RunTold } from './phase.ts';
export { definePlugin, isPlugin, type Plugin, type PluginFactory, type Sdk } from './plugin.ts';
export type * from './ports.ts';
export { type Infer, type Schema, withSecrets } from './schema.ts';
export { isSecret, revealed, Secret } from './secret.ts';
export { clean, didYouMean, gunzipped, nearest, printable, shown } from './text.ts';
export { parseYaml } from './yaml.ts';
