/** What joining a node to a Kubernetes cluster knows. Phases import it; plugins get it as `sdk.node`. */
export { assertCgroupDriver } from './cgroup-driver.ts';
export { ignoreRule } from './checks.ts';
export { assertClock } from './clock-skew.ts';
export { readClusterInfo } from './cluster-info.ts';
export { findCriSocket, socketPath } from './cri.ts';
export { fields } from './fields.ts';
export { discovered, discoveryOutput, type JoiningIdentity, joiningIdentity } from './identity.ts';
export { loadModules, setSysctls } from './kernel.ts';
export {
  base64Text,
  clusterNamed,
  currentContext,
  type Kubeconfig,
  type KubeconfigCluster,
  type KubeconfigContext,
  readKubeconfig,
} from './kubeconfig.ts';
export { healthUrl, installedKubelet, isHealthCheckOff, minorOf } from './kubelet.ts';
export {
  type KubeletIdentity,
  kubeletIdentity,
  NODES_GROUP,
  type NodeCertificate,
  nodeCertificate,
  nodeUser,
  usableIdentity,
} from './kubelet-identity.ts';
export {
  type Condition,
  type ConfigMapObject,
  type CsrObject,
  conditionsOf,
  configMapRef,
  csrRef,
  isReady,
  type NodeObject,
  nodeRef,
} from './objects.ts';
export { paths } from './paths.ts';
export { PORT, readServerAddress } from './server-address.ts';
export { kubeletData, type NotReadyReason, shutDownKubelet } from './shut-down-kubelet.ts';
export { visibleNode } from './visible-node.ts';
