/** What joining a node to a Kubernetes cluster requires. Phases import it; plugins get it as `sdk.node`. */
export { assertNoOtherCa } from './ca-file.ts';
export { assertCgroupDriver, defaultCgroupDriver } from './cgroup-driver.ts';
export { assertCgroups } from './cgroups.ts';
export { ignoreRule } from './checks.ts';
export { assertClock } from './clock-skew.ts';
export { readClusterInfo } from './cluster-info.ts';
export { type ClusterSettings, clusterSettings } from './cluster-settings.ts';
export { adminIdentity } from './control-plane/admin.ts';
export { type Authority, issuedPair, type Pair, readAuthority } from './control-plane/authority.ts';
export { defaultAddress, isGlobal, isLoopback, ownAddresses } from './control-plane/default-address.ts';
export {
  assertQuorumWithout,
  type ClusterEtcd,
  clusterEtcd,
  etcdCertificates,
  etcdClientUrl,
  etcdctl,
  etcdMemberName,
  etcdPeerUrl,
  voterHealth,
} from './control-plane/etcd.ts';
export { EtcdLease } from './control-plane/etcd-lease.ts';
export { controlPlaneFields } from './control-plane/fields.ts';
export { type LocalEtcdMember, localEtcdMember } from './control-plane/local-etcd.ts';
export { type Manifest, readManifest } from './control-plane/manifest.ts';
export {
  type Argument,
  type Component,
  type ControlPlaneSettings,
  controlPlaneSettings,
  type ExternalEtcd,
  type HostPathMount,
} from './control-plane/settings.ts';
export { SHARED_FILES, type SharedFile, sharedFiles } from './control-plane/shared-files.ts';
export {
  commandOf,
  manifestOf,
  patchedManifest,
  probeHost,
  type StaticPod,
  secondsOf,
} from './control-plane/static-pod.ts';
export { findCriSocket, socketPath } from './cri.ts';
export { fields } from './fields.ts';
export { discovered, discoveryOutput, type JoiningIdentity, joiningIdentity } from './identity.ts';
export { loadModules, setSysctls } from './kernel.ts';
export {
  base64Text,
  clusterInUse,
  clusterNamed,
  currentContext,
  type Kubeconfig,
  type KubeconfigCluster,
  type KubeconfigContext,
  readKubeconfig,
} from './kubeconfig.ts';
export { healthUrl, installedKubelet, isHealthCheckOff, minorOf } from './kubelet.ts';
export {
  type ConfigurationSources,
  kubeletConfigMap,
  kubeletConfigurationOf,
  originOf,
} from './kubelet-configuration.ts';
export { wrongKubeletField } from './kubelet-field-types.ts';
export {
  type KubeletIdentity,
  kubeletIdentity,
  NODES_GROUP,
  type NodeCertificate,
  nodeCertificate,
  nodeUser,
  usableIdentity,
} from './kubelet-identity.ts';
export { hasSocketFile, isSocketAnnotated, writtenSocket } from './kubelet-socket.ts';
export { isPortInUse, isUrlTaken } from './listening.ts';
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
export { logProxy } from './proxy.ts';
export type { ReleaseFact } from './release-fact.ts';
export { holds, pauseTag, releaseFacts } from './release-facts.ts';
export { apiHost, apiUrl, PORT, readServerAddress } from './server-address.ts';
export { apiAddress } from './service-subnet.ts';
export { kubeletData, type NotReadyReason, shutDownKubelet } from './shut-down-kubelet.ts';
export { argumentIn, type UnitCommand, unitCommand } from './systemd-unit.ts';
export { visibleNode } from './visible-node.ts';
