/** With engine/pki, all that a phase or plugin imports. */
export type { Bounds } from './bounds.ts';
export { assertCgroupDriver } from './cgroup-driver.ts';
export { type CheckResult, ignoreRule } from './checks.ts';
export { assertClock } from './clock.ts';
export { readClusterInfo } from './cluster-info.ts';
export * from './cri.ts';
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
export * from './identity.ts';
export * from './install.ts';
export { jsonPatched } from './json-patch.ts';
export * from './kernel.ts';
export {
  base64Text,
  clusterNamed,
  currentContext,
  type Kubeconfig,
  type KubeconfigCluster,
  readKubeconfig,
} from './kubeconfig.ts';
export { healthUrl, installedKubelet, minorOf } from './kubelet.ts';
export { type Ending, endKubelet, kubeletData } from './kubelet-end.ts';
export * from './objects.ts';
export { paths } from './paths.ts';
export { type AnyPhase, definePhase, type Phase, type PhaseOrigin, type RunTold } from './phase.ts';
export { definePlugin, isPlugin, type Plugin, type PluginFactory, type Sdk } from './plugin.ts';
export type * from './ports.ts';
export { type Infer, type Schema, withSecrets } from './schema.ts';
export { isSecret, revealed, Secret } from './secret.ts';
export { seenNode } from './seen-node.ts';
export { clean, didYouMean, gunzipped, nearest, printable, shown } from './text.ts';
export { parseYaml } from './yaml.ts';
