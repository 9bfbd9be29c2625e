/** What may be wrong with etcd and with the lease of its members while a control plane joins. */
import type { Wait } from '../../engine/host/host.ts';
import { fail } from '../../engine/sdk/index.ts';
import type { MemoryHost } from '../../engine/testing/memory-host.ts';
import checkEtcd from '../../phases/check-etcd/index.ts';
import etcdJoin from '../../phases/etcd-join/index.ts';
import { NOW } from '../helpers/cluster.ts';
import { type Fault, fullDiskAt, PKI } from '../helpers/control-plane-faults.ts';
import { clientUrl, etcdPodOf, input, scene, unstarted, voter } from '../helpers/etcd.ts';

const ON_DISK = 'E_CONTROL_PLANE_CERTIFICATES: the certificates on this machine do not make a control plane: ';
const ENDPOINTS = 'E_ETCD_ENDPOINTS: cannot find the members of etcd by their Pods in kube-system: ';

type Scene = ReturnType<typeof scene>;
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases';
const LEASE = `${LEASES}/joinery-etcd`;
const PODS = 'GET /api/v1/namespaces/kube-system/pods';

const check = (title: string, { machine }: Scene, error: string, more: Partial<Fault> = {}): Fault => ({
  title,
  phase: checkEtcd,
  input,
  machine,
  error,
  ...more,
});
const join = (title: string, stage: Scene, error: string, more: Partial<Fault> = {}): Fault => ({
  ...check(title, stage, error),
  phase: etcdJoin,
  ...more,
});
const three = [voter(1), voter(3), voter(4)];

function answering(call: string, status: number, message: string): Scene {
  const stage = scene();
  stage.cluster.answers.set(call, stage.cluster.answer(status, { message }));
  return stage;
}
function held(holderIdentity: string): Scene {
  const stage = scene();
  const spec = { holderIdentity, leaseDurationSeconds: 60, renewTime: NOW.toISOString() };
  stage.cluster.objects.set(LEASE, { metadata: { name: 'joinery-etcd' }, spec } as never);
  return stage;
}
function without(path: string, content?: string): Scene {
  const stage = scene();
  const { [path]: _, ...files } = stage.machine.files ?? {};
  return {
    ...stage,
    machine: { ...stage.machine, files: content === undefined ? files : { ...files, [path]: content } },
  };
}
const HEALTHCHECK = '/etc/kubernetes/pki/etcd/healthcheck-client';

/** The lease gets another holder while etcd starts. */
const losingLease =
  ({ cluster }: Scene) =>
  (host: MemoryHost): void => {
    const { wait } = host;
    host.wait = async (condition: Wait, signal) => {
      const spec = { holderIdentity: 'cp9', leaseDurationSeconds: 60, renewTime: NOW.toISOString() };
      if (condition.kind === 'etcd') cluster.objects.set(LEASE, { metadata: { name: 'joinery-etcd' }, spec } as never);
      return wait.call(host, condition, signal);
    };
  };
const losing = scene();

/** etcd does not start, or its answer does not come, before the time of the step is up. */
const timedOut = (host: MemoryHost): void => {
  host.wait = async () => {
    throw fail('E_STEP_TIME_LIMIT', { step: 'etcd-join', limitMs: 120_000 });
  };
};
const silentMembers = (host: MemoryHost): void => {
  const { read } = host;
  host.read = (async (query: Parameters<typeof read>[0], signal: AbortSignal) => {
    if (query.kind === 'etcd-members')
      throw fail('E_ETCD_UNREACHABLE', { problems: [`${clientUrl(1)}: it did not answer within 2 s`] });
    return read.call(host, query, signal);
  }) as typeof read;
};

export const etcd: Fault[] = [
  check(
    'a member that is silent, of two',
    scene({ members: [voter(1), voter(4)], ill: { [clientUrl(4)]: 'silent' } }),
    'E_ETCD_UNHEALTHY: 1 of 2 etcd members are healthy, and a majority must be: cp4 at https://198.51.100.14:2380 does not answer (https://198.51.100.14:2379: nothing listens there (ECONNREFUSED))',
  ),
  check(
    'two silent members of three',
    scene({ members: three, ill: { [clientUrl(3)]: 'silent', [clientUrl(4)]: 'silent' } }),
    'E_ETCD_UNHEALTHY: 1 of 3 etcd members are healthy, and a majority must be: cp3 at https://198.51.100.13:2380 does not answer (https://198.51.100.13:2379: nothing listens there (ECONNREFUSED)); cp4 at https://198.51.100.14:2380 does not answer (https://198.51.100.14:2379: nothing listens there (ECONNREFUSED))',
  ),
  check(
    'a member whose disk is full',
    scene({ ill: { [clientUrl(1)]: ['NOSPACE'] } }),
    'E_ETCD_UNHEALTHY: 0 of 1 etcd members are healthy, and a majority must be: cp1 at https://198.51.100.11:2380 reports NOSPACE',
  ),
  check(
    'a member with a damaged database',
    scene({ ill: { [clientUrl(1)]: ['CORRUPT'] } }),
    'E_ETCD_UNHEALTHY: 0 of 1 etcd members are healthy, and a majority must be: cp1 at https://198.51.100.11:2380 reports CORRUPT',
  ),
  check(
    'a learner that another join has added',
    scene({ members: [voter(1), unstarted(3)] }),
    'E_ETCD_MEMBER: the etcd member 8e9e05c521646943 at https://198.51.100.13:2380 is in the way: it was added, and has not started',
  ),
  check(
    'a voter that has never started',
    scene({ members: [voter(1), { ...unstarted(3), isLearner: false }] }),
    'E_ETCD_MEMBER: the etcd member 8e9e05c521646943 at https://198.51.100.13:2380 is in the way: it was added, and has not started',
  ),
  check(
    'a member with this name',
    scene({ members: [voter(1), { ...voter(3), name: 'cp2' }] }),
    'E_ETCD_MEMBER: the etcd member cp2 at https://198.51.100.13:2380 is in the way: it has the name of this machine, and another address',
  ),
  check('no Pod of etcd', scene({}, []), `${ENDPOINTS}the cluster has no Pod of etcd`),
  check(
    'a Pod of etcd without its address',
    scene({}, [{ metadata: { name: 'etcd-cp1' } }]),
    `${ENDPOINTS}Pod etcd-cp1 has no annotation kubeadm.kubernetes.io/etcd.advertise-client-urls`,
  ),
  check(
    'an administrator who may not list Pods',
    answering(PODS, 403, 'pods is forbidden'),
    'E_API_FORBIDDEN: https://cluster.test:6443: not allowed to list pods (HTTP 403): pods is forbidden',
  ),
  check(
    'an API server without its etcd',
    answering(PODS, 500, 'etcdserver: leader changed'),
    'E_API_UNAVAILABLE: https://cluster.test:6443 cannot list pods at the moment (HTTP 500): etcdserver: leader changed',
  ),
  check(
    'no client certificate',
    without(`${HEALTHCHECK}.crt`),
    `${ON_DISK}${PKI}/etcd/healthcheck-client.crt does not exist`,
  ),
  check(
    'no key of the client certificate',
    without(`${HEALTHCHECK}.key`),
    `${ON_DISK}${PKI}/etcd/healthcheck-client.key does not exist`,
  ),
  check(
    'no admin.conf',
    without('/etc/kubernetes/admin.conf'),
    'E_KUBECONFIG: cannot use the kubeconfig /etc/kubernetes/admin.conf: it does not exist',
  ),
  check(
    'an admin.conf without a cluster',
    without('/etc/kubernetes/admin.conf', '{}'),
    'E_KUBECONFIG: cannot use the kubeconfig /etc/kubernetes/admin.conf: it has no cluster',
  ),
  check(
    'an admin.conf that is not YAML',
    without('/etc/kubernetes/admin.conf', 'a: ['),
    'E_KUBECONFIG: cannot use the kubeconfig /etc/kubernetes/admin.conf: line 1: the indentation does not match the lines above, or a bracket above is not closed',
  ),
  check(
    'an etcd that answers too slowly',
    scene(),
    'E_ETCD_UNREACHABLE: no member of etcd answers: https://198.51.100.11:2379: it did not answer within 2 s',
    { breaks: silentMembers },
  ),
  join(
    'a learner that does not catch up',
    scene({ refusals: 1 }),
    'E_ETCD_REFUSED: etcd at https://198.51.100.11:2379 refused to promote a member: etcdserver: can only promote a learner member which is in sync with leader',
  ),
  join(
    'an etcd that does not start',
    scene(),
    'E_STEP_TIME_LIMIT: step etcd-join did not finish within its time limit of 120 s: etcd on this machine has not started: check crictl ps -a, and the log of its container',
    { breaks: timedOut },
  ),
  join(
    'another learner',
    scene({ members: [voter(1), unstarted(3)] }),
    'E_ETCD_REFUSED: etcd at https://198.51.100.11:2379 refused to add a member: etcdserver: too many learner members in cluster',
  ),
  join(
    'data of another etcd',
    scene({}, [etcdPodOf(1)], { '/var/lib/etcd/member/wal': '' }),
    "E_ETCD_DATA: /var/lib/etcd holds data of an etcd (member), and this machine is not a member of the cluster's",
  ),
  join(
    'a member whose data are lost',
    scene({ members: [voter(1), voter(2)] }),
    'E_ETCD_MEMBER: the etcd member cp2 at https://198.51.100.12:2380 is in the way: it has started before, and /var/lib/etcd does not have its data',
  ),
  join(
    'a Pod of etcd without an image',
    scene({}, [{ ...etcdPodOf(1), spec: {} }]),
    `${ENDPOINTS}none of the Pods names the image of etcd`,
  ),
  join(
    'a lease that another control plane holds',
    held('cp3'),
    'E_CONTROL_PLANE_BUSY: cp3 changes the members of etcd, and has reserved them until 2026-03-04T05:07:07.000Z',
  ),
  join(
    'a lease that is lost while it is held',
    losing,
    'E_CONTROL_PLANE_BUSY: cp9 changes the members of etcd, and has reserved them until 2026-03-04T05:07:07.000Z',
    { breaks: losingLease(losing) },
  ),
  join(
    'an API server that refuses leases',
    answering(`POST ${LEASES}`, 403, 'leases is forbidden'),
    'E_API_FORBIDDEN: https://cluster.test:6443: not allowed to create leases joinery-etcd (HTTP 403): leases is forbidden',
  ),
  join(
    'a lease that cannot be read',
    answering(`GET ${LEASE}`, 500, 'internal error'),
    'E_API_UNAVAILABLE: https://cluster.test:6443 cannot get leases joinery-etcd at the moment (HTTP 500): internal error',
  ),
  join(
    'a lease that appears at the same moment',
    answering(`POST ${LEASES}`, 409, 'already exists'),
    'E_CONTROL_PLANE_BUSY: another control plane changes the members of etcd, and has reserved them until its join ends',
  ),
  join('a full disk', scene(), 'E_FILE: /etc/kubernetes/manifests/etcd.yaml: no space is left on the device', {
    breaks: fullDiskAt(1),
  }),
  join(
    'a patch that breaks the manifest',
    scene({}, [etcdPodOf(1)], { '/p/etcd.yaml': 'spec: { containers: null }\n' }),
    'E_PATCH: cannot apply the patch /p: the patches leave etcd without a name or containers',
    {
      input: { ...input, patches: '/p' },
    },
  ),
];
