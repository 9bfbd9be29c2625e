/**
 * What depends on a release of Kubernetes: the one table of these facts. Code that depends on a release calls `holds`
 * with the name of a fact. docs/skew.md shows the table.
 */
import { controlPlaneFacts } from './control-plane/release-facts.ts';
import { minorOf } from './kubelet.ts';
import type { ReleaseFact } from './release-fact.ts';

/** In the order of the releases, those of control planes last. */
export const releaseFacts = {
  dynamicKubeletConfig: {
    of: 'cluster',
    since: '1.8',
    until: '1.23',
    what: 'a Node can have a `spec.configSource`',
    source: 'KEP-281',
  },
  configSourceNamesKey: {
    of: 'cluster',
    since: '1.11',
    what: "a Node's `spec.configSource` names a ConfigMap and its key, and no longer its UID",
    source: 'core/v1 NodeConfigSource',
  },
  serverDryRun: {
    of: 'cluster',
    since: '1.13',
    what: 'the API server checks a request with `dryRun=All` and does not store it',
    source: 'KEP-576',
  },
  nodeLabelsRefused: {
    of: 'kubelet',
    since: '1.16',
    what: 'the kubelet does not start if `--node-labels` has a label of Kubernetes that it may not set',
    source: 'KEP-279',
  },
  readableNodes: {
    of: 'cluster',
    since: '1.18',
    what: 'a joining machine may read Nodes',
    source: 'kubernetes#81056',
  },
  schedulingOptions: {
    of: 'kubelet',
    since: '1.21',
    what: 'kubeadm requires the kernel options CGROUP_PIDS and FAIR_GROUP_SCHED',
    source: 'kubernetes#96378',
  },
  dockerDriverIgnored: {
    of: 'kubelet',
    since: '1.21',
    what: 'kubeadm does not look at the cgroup driver of Docker',
    source: 'kubernetes#99647',
  },
  pauseImageFlag: {
    of: 'kubelet',
    since: '1.21',
    until: '1.34',
    what: 'kubeadm names the pause image with `--pod-infra-container-image` for every runtime; 1.35 has no such flag',
    source: 'kubernetes#99476, kubernetes#133779',
  },
  systemdDriver: {
    of: 'kubelet',
    since: '1.22',
    what: 'kubeadm sets an empty `cgroupDriver` to systemd',
    source: 'kubernetes#102133',
  },
  noManifestsCheck: {
    of: 'kubelet',
    since: '1.23',
    what: 'a worker can join with kubeadm even if its directory of static Pods is not empty',
    source: 'kubeadm 1.36.2',
  },
  swapWarns: {
    of: 'kubelet',
    since: '1.23',
    what: 'kubeadm only warns about swap',
    source: 'kubernetes#104854',
  },
  remoteRuntimesOnly: {
    of: 'kubelet',
    since: '1.24',
    what: 'there is no dockershim and no `--container-runtime=remote`; kubeadm writes the socket as a URL',
    source: 'KEP-2221, kubernetes#107317',
  },
  unversionedKubeletConfig: {
    of: 'cluster',
    since: '1.24',
    what: "the name of the kubelets' ConfigMap has no version",
    source: 'KEP-2915',
  },
  resetKeepsRuntimeFolders: {
    of: 'kubelet',
    since: '1.25',
    what: '`kubeadm reset` keeps `/var/lib/dockershim`, `/var/run/kubernetes` and `/var/lib/cni`',
    source: 'kubernetes#110022',
  },
  runtimeV1Only: {
    of: 'kubelet',
    since: '1.26',
    what: 'the kubelet speaks only `runtime.v1` with the container runtime',
    source: 'kubernetes#110618',
  },
  noKeyEncipherment: {
    of: 'kubelet',
    since: '1.27',
    what: 'a CSR with an elliptic key does not ask for key encipherment',
    source: 'kubernetes#111660',
  },
  olderKubelets: {
    of: 'cluster',
    since: '1.28',
    what: 'kubelets may be three minor versions older than the cluster (before: two)',
    source: 'KEP-3935',
  },
  noBridgeCheck: {
    of: 'kubelet',
    since: '1.30',
    what: 'kubeadm does not check the settings of `net.bridge`',
    source: 'kubeadm 1.36.2',
  },
  cgroupV1Warns: {
    of: 'kubelet',
    since: '1.31',
    what: 'kubeadm warns about cgroups v1',
    source: 'KEP-4569',
  },
  runtimeByApi: {
    of: 'kubelet',
    since: '1.31',
    what: 'kubeadm needs no `crictl`, and does not look for `conntrack` when a machine joins',
    source: 'kubernetes#124685',
  },
  forwardingByEndpoint: {
    of: 'kubelet',
    since: '1.31',
    what: 'kubeadm checks the forwarding of IPv4 only if the endpoint is an IPv4 address',
    source: 'kubeadm 1.36.2',
  },
  runtimeReportsDriver: {
    of: 'kubelet',
    since: '1.31',
    what: 'the kubelet uses the cgroup driver that the container runtime reports',
    source: 'KEP-4033',
  },
  noCrictlCheck: {
    of: 'kubelet',
    since: '1.32',
    what: 'kubeadm does not look for `crictl`',
    source: 'kubernetes#126596',
  },
  noSocatCheck: {
    of: 'kubelet',
    since: '1.32',
    what: 'kubeadm does not look for `socat` and `ebtables`',
    source: 'kubeadm 1.36.2',
  },
  kernel419: {
    of: 'kubelet',
    since: '1.32',
    what: 'kubeadm requires Linux 4.19 (before: 3.10)',
    source: 'system-validators 1.9',
  },
  socketFileGate: {
    of: 'kubelet',
    since: '1.32',
    what: "the cluster's feature gate NodeLocalCRISocket moves the CRI socket from flag and annotation into a file",
    source: 'KEP-4656',
  },
  fewPrograms: {
    of: 'kubelet',
    since: '1.33',
    what: 'the only programs that kubeadm looks for are `losetup`, `mount` and `cp`',
    source: 'kubeadm 1.36.2',
  },
  socketFileByDefault: {
    of: 'kubelet',
    since: '1.34',
    what: 'NodeLocalCRISocket is on unless the cluster turns it off',
    source: 'KEP-4656',
  },
  noPreferences: {
    of: 'kubelet',
    since: '1.34',
    what: 'kubeconfigs are written without `preferences`',
    source: 'kubernetes#131741',
  },
  longTermKernels: {
    of: 'kubelet',
    since: '1.34',
    what: 'kubeadm only warns about a kernel that is neither 5.4, 5.10, 5.15 nor 6 or later',
    source: 'kubernetes#131919',
  },
  cgroupV1Refused: {
    of: 'kubelet',
    since: '1.35',
    what: 'the kubelet does not start on cgroups v1, unless `failCgroupV1` is false',
    source: 'KEP-5573',
  },
  optionsByCgroups: {
    of: 'kubelet',
    since: '1.35',
    what: 'which kernel options kubeadm requires depends on the version of the cgroups',
    source: 'kubernetes#134089',
  },
  runtimeVersionCheck: {
    of: 'kubelet',
    since: '1.36',
    what: 'kubeadm checks that the container runtime has the call `RuntimeConfig`',
    source: 'kubeadm 1.36.2',
  },
  argumentsInOrder: {
    of: 'kubelet',
    since: '1.36',
    what: "kubeadm keeps the order of the user's arguments for the kubelet, after its own",
    source: 'kubernetes#135400',
  },
  noSocketAnnotation: {
    of: 'kubelet',
    since: '1.36',
    what: 'kubeadm never annotates the Node with its CRI socket',
    source: 'kubeadm 1.36.2',
  },
  ...controlPlaneFacts,
} as const satisfies Record<string, ReleaseFact>;

/** Whether a fact holds for a version such as `v1.20.2`. An unknown version counts as older than every release. */
export function holds(name: keyof typeof releaseFacts, version: string | undefined): boolean {
  const { since, until }: ReleaseFact = releaseFacts[name];
  const minor = minorOf(version ?? '');
  return minor >= minorOf(`${since}.`) && (until === undefined || minor <= minorOf(`${until}.`));
}

/** Tag of the pause image, by the first kubeadm release that uses it. Source: kubeadm, constants.PauseVersion. */
const PAUSE_TAGS: readonly (readonly [since: number, tag: string])[] = [
  [34, '3.10.1'],
  [31, '3.10'],
  [26, '3.9'],
  [25, '3.8'],
  [24, '3.7'],
  [23, '3.6'],
  [22, '3.5'],
  [21, '3.4.1'],
  [18, '3.2'],
];

/** The tag of the pause image of kubeadm's release; undefined before 1.18. */
export const pauseTag = (version: string): string | undefined =>
  PAUSE_TAGS.find(([since]) => minorOf(version) >= since)?.[1];
