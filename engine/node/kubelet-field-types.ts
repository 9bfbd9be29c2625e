/**
 * The types of a KubeletConfiguration's fields. kubeadm cannot decode a document with another type, and no kubelet
 * starts with it. Source: kubelet.config.k8s.io/v1beta1. Fields that are not in these lists are not checked.
 */
import { valueText } from '../sdk/text.ts';

const names = (text: string): string[] => text.trim().split(/\s+/);

const BOOLEANS = names(`
  cgroupsPerQOS cpuCFSQuota enableContentionProfiling enableControllerAttachDetach enableDebugFlagsHandler
  enableDebuggingHandlers enableProfilingHandler enableServer enableSystemLogHandler enableSystemLogQuery failCgroupV1
  failSwapOn kernelMemcgNotification localStorageCapacityIsolation makeIPTablesUtilChains protectKernelDefaults
  registerNode rotateCertificates seccompDefault serializeImagePulls serverTLSBootstrap singleProcessOOMKill
`);
const INTEGERS = names(`
  containerLogMaxFiles containerLogMaxWorkers eventBurst eventRecordQPS evictionMaxPodGracePeriod healthzPort
  imageGCHighThresholdPercent imageGCLowThresholdPercent iptablesDropBit iptablesMasqueradeBit kubeAPIBurst kubeAPIQPS
  maxOpenFiles maxParallelImagePulls maxPods nodeLeaseDurationSeconds nodeStatusMaxImages oomScoreAdj podPidsLimit
  podsPerCore port readOnlyPort registryBurst registryPullQPS
`);
const TEXTS = names(`
  address cgroupRoot clusterDomain containerLogMaxSize containerRuntimeEndpoint contentType cpuCFSQuotaPeriod
  cpuManagerPolicy cpuManagerReconcilePeriod evictionPressureTransitionPeriod fileCheckFrequency hairpinMode
  healthzBindAddress httpCheckFrequency imageMaximumGCAge imageMinimumGCAge imageServiceEndpoint kubeReservedCgroup
  kubeletCgroups memoryManagerPolicy nodeStatusReportFrequency nodeStatusUpdateFrequency podCIDR providerID
  reservedSystemCPUs resolvConf runtimeRequestTimeout shutdownGracePeriod shutdownGracePeriodCriticalPods staticPodPath
  staticPodURL streamingConnectionIdleTimeout syncFrequency systemCgroups systemReservedCgroup tlsCertFile tlsMinVersion
  tlsPrivateKeyFile topologyManagerPolicy topologyManagerScope volumePluginDir volumeStatsAggPeriod
`);
const TEXT_LISTS = names('allowedUnsafeSysctls clusterDNS enforceNodeAllocatable tlsCipherSuites');
const TEXT_MAPS = names(`
  cpuManagerPolicyOptions evictionHard evictionMinimumReclaim evictionSoft evictionSoftGracePeriod kubeReserved
  qosReserved systemReserved topologyManagerPolicyOptions
`);

type Tree = Record<string, unknown>;
/** What is wrong with the value at that path, or undefined. null counts as absent, as in Go. */
type Type = (path: string, value: unknown) => string | undefined;

const of =
  (what: string, isValid: (value: unknown) => boolean): Type =>
  (path, value) =>
    value === null || value === undefined || isValid(value)
      ? undefined
      : `${path} ${quoted(value)}, which must be ${what}`;

const quoted = (value: unknown): string => (typeof value === 'string' ? `"${valueText(value)}"` : valueText(value));
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): boolean => typeof value === 'string';
const isInteger = (value: unknown): boolean =>
  Number.isInteger(value) || (isTree(value) && Object.hasOwn(value, '$integer'));

const text = of('a text in quotes', isText);
const boolean = of('true or false, without quotes', (value) => typeof value === 'boolean');
const integer = of('an integer, without quotes', isInteger);
const mapping = of('a mapping', isTree);
const list = of('a list', Array.isArray);

const firstOf = (problems: (string | undefined)[]): string | undefined => problems.find((each) => each !== undefined);
const listOf =
  (item: Type): Type =>
  (path, value) =>
    Array.isArray(value) ? firstOf(value.map((each, index) => item(`${path}[${index}]`, each))) : list(path, value);
const mapOf =
  (item: Type): Type =>
  (path, value) =>
    isTree(value)
      ? firstOf(Object.entries(value).map(([key, each]) => item(`${path}.${key}`, each)))
      : mapping(path, value);
const taint: Type = (path, value) =>
  isTree(value)
    ? firstOf(['key', 'value', 'effect'].map((key) => text(`${path}.${key}`, value[key])))
    : mapping(path, value);

const TYPES = new Map<string, Type>([
  ...BOOLEANS.map((name) => [name, boolean] as const),
  ...INTEGERS.map((name) => [name, integer] as const),
  ...TEXTS.map((name) => [name, text] as const),
  ...TEXT_LISTS.map((name) => [name, listOf(text)] as const),
  ...TEXT_MAPS.map((name) => [name, mapOf(text)] as const),
  ['featureGates', mapOf(boolean)],
  ['registerWithTaints', listOf(taint)],
]);

/** The first field with a value of another type, and its type: `maxPods "110", which must be an integer, …`. */
export const wrongKubeletField = (document: Tree): string | undefined =>
  firstOf(Object.entries(document).map(([name, value]) => TYPES.get(name)?.(name, value)));
