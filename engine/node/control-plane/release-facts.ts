/** What depends on the release of the cluster when a control plane joins. Part of the table in release-facts.ts. */
import type { ReleaseFact } from '../release-fact.ts';

export const controlPlaneFacts = {
  controlPlaneLabel: {
    of: 'cluster',
    since: '1.20',
    what: 'control planes have the label `node-role.kubernetes.io/control-plane` beside `master`',
    source: 'kubernetes#95382',
  },
  noInsecurePortFlag: {
    of: 'cluster',
    since: '1.22',
    what: 'the API server gets no `--insecure-port=0`',
    source: 'kubernetes#102121',
  },
  seccompOfComponents: {
    of: 'cluster',
    since: '1.22',
    what: 'the static Pods of a control plane have the seccomp profile RuntimeDefault',
    source: 'kubernetes#100234',
  },
  noStorageRequestOfEtcd: {
    of: 'cluster',
    since: '1.22',
    what: 'the static Pod of etcd requests no ephemeral storage',
    source: 'kubernetes#102673',
  },
  noPortFlag: {
    of: 'cluster',
    since: '1.23',
    what: 'the controller manager and the scheduler get no `--port=0`',
    source: 'kubernetes#104157, kubernetes#105034',
  },
  noMasterLabel: {
    of: 'cluster',
    since: '1.24',
    what: 'control planes have no label `master`, are excluded from load balancers, and have the taints of both roles',
    source: 'kubernetes#107533',
  },
  etcdCorruptCheck: {
    of: 'cluster',
    since: '1.24',
    what: 'etcd checks its data for damage when it starts',
    source: 'kubernetes#109074',
  },
  etcdOwnHealth: {
    of: 'cluster',
    since: '1.25',
    what: 'the probe of etcd asks for the health of the member alone, and watches report their progress every 5 s',
    source: 'kubernetes#110744, kubernetes#111383',
  },
  noMasterTaint: {
    of: 'cluster',
    since: '1.25',
    what: 'control planes have only the taint `node-role.kubernetes.io/control-plane`',
    source: 'kubernetes#110095',
  },
  priorityOfComponents: {
    of: 'cluster',
    since: '1.27',
    what: 'the static Pods of a control plane name their priority as a number',
    source: 'kubernetes#114338',
  },
  adminGroup: {
    of: 'cluster',
    since: '1.29',
    what: 'admin.conf belongs to the group `kubeadm:cluster-admins` (before: `system:masters`)',
    source: 'kubernetes#121305',
  },
  leavesStartNow: {
    of: 'cluster',
    since: '1.31',
    what: 'certificates are valid from five minutes before the join (before: from the start of their CA)',
    source: 'kubeadm 1.36.2',
  },
  twoPkiDirectories: {
    of: 'cluster',
    since: '1.31',
    what: 'components see `/etc/pki/ca-trust` and `/etc/pki/tls/certs` (before: all of `/etc/pki`)',
    source: 'kubernetes#124361',
  },
  etcdLivez: {
    of: 'cluster',
    since: '1.31',
    what: 'etcd has the probes `/livez` and `/readyz` (before: `/health`)',
    source: 'kubernetes#124465',
  },
  schedulerLivez: {
    of: 'cluster',
    since: '1.32',
    what: 'the scheduler has the probes `/livez` and `/readyz` (before: `/healthz`)',
    source: 'kubernetes#126945',
  },
  kubeletUsesLocalApi: {
    of: 'cluster',
    since: '1.33',
    what: 'the kubelet of a control plane uses the API server of its own machine',
    source: 'kubernetes#135773',
  },
  probePortName: {
    of: 'cluster',
    since: '1.34',
    what: 'probes of static Pods use a named port',
    source: 'kubernetes#132776',
  },
  etcd36: {
    of: 'cluster',
    since: '1.34',
    what: 'etcd is 3.6, whose flags have no name with `experimental` (unless its image has another version)',
    source: 'kubeadm 1.36.2',
  },
  noCreationTimestamp: {
    of: 'cluster',
    since: '1.34',
    what: 'manifests are written without `creationTimestamp: null`',
    source: 'kubernetes#131741',
  },
  kubeletClientRole: {
    of: 'cluster',
    since: '1.36',
    what: "the API server's client certificate for kubelets has no group; a role gives it its rights (from 1.36.1 on)",
    source: 'kubeadm 1.36.2',
  },
  argumentsOfComponentsInOrder: {
    of: 'cluster',
    since: '1.36',
    what: "the user's arguments for a component keep their order, after those of kubeadm",
    source: 'kubernetes#135400',
  },
  noFlexVolumes: {
    of: 'cluster',
    since: '1.36',
    what: 'the controller manager does not mount the directory of flex volumes',
    source: 'kubernetes#136423',
  },
} as const satisfies Record<string, ReleaseFact>;
