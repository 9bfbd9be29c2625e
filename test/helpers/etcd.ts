/** A control plane that is about to become a member of an etcd in memory. */
import type { Wait } from '../../engine/host/host.ts';
import type { EtcdMember } from '../../engine/sdk/index.ts';
import { MemoryEtcd, type MemoryEtcdOptions } from '../../engine/testing/memory-etcd.ts';
import type { MemoryMachine } from '../../engine/testing/memory-host.ts';
import { authority, FakeCluster, issue, NOW } from './cluster.ts';
import { ADDRESS, adminConf, CONFIGURATION, PKI } from './control-plane.ts';

export const peerUrl = (n: number): string => `https://198.51.100.1${n}:2380`;
export const clientUrl = (n: number): string => `https://198.51.100.1${n}:2379`;
export const voter = (n: number): EtcdMember => ({
  id: `8e9e05c52164694${n}`,
  name: `cp${n}`,
  peerUrls: [peerUrl(n)],
  clientUrls: [clientUrl(n)],
  isLearner: false,
});
export const unstarted = (n: number): EtcdMember => ({ ...voter(n), name: '', clientUrls: [], isLearner: true });

const ca = authority();
const admin = issue(ca, { user: 'kubernetes-admin', groups: ['kubeadm:cluster-admins'] });
export const healthcheck = issue(authority('etcd-ca'), { user: 'kube-etcd-healthcheck-client', groups: [] });

/** The input of a phase of etcd on cp2. */
export const input = { clusterConfiguration: CONFIGURATION, advertiseAddress: ADDRESS, nodeName: 'cp2' };

export const etcdPodOf = (n: number, image = 'registry.k8s.io/etcd:3.6.8-0') => ({
  metadata: {
    name: `etcd-cp${n}`,
    annotations: { 'kubeadm.kubernetes.io/etcd.advertise-client-urls': clientUrl(n) },
  },
  spec: { containers: [{ name: 'etcd', image }] },
});

export interface Scene {
  etcd: MemoryEtcd;
  cluster: FakeCluster;
  machine: MemoryMachine;
}

export function scene(
  options: Partial<MemoryEtcdOptions> = {},
  pods: readonly object[] = [etcdPodOf(1)],
  files: Record<string, string> = {},
): Scene {
  const etcd = new MemoryEtcd({ members: [voter(1)], starts: 'cp2', ...options });
  const cluster = new FakeCluster(ca);
  cluster.answers.set('GET /api/v1/namespaces/kube-system/pods', () => cluster.answer(200, { items: pods }));
  const machine: MemoryMachine = {
    now: () => NOW,
    etcd,
    directories: ['/var/lib'],
    services: { kubelet: { active: true } },
    runtimes: { '/run/containerd/containerd.sock': {} },
    podSandboxes: [
      { id: '1', namespace: 'kube-system', name: 'etcd-cp2' },
      { id: '2', namespace: 'kube-system', name: 'kube-apiserver-cp2' },
      { id: '3', namespace: 'default', name: 'etcd-of-a-user' },
    ],
    files: {
      '/run/containerd/containerd.sock': '',
      '/etc/kubernetes/admin.conf': adminConf(ca.pem, admin),
      [`${PKI}/etcd/ca.crt`]: ca.pem,
      [`${PKI}/etcd/healthcheck-client.crt`]: healthcheck.pem,
      [`${PKI}/etcd/healthcheck-client.key`]: healthcheck.keyPem,
      ...files,
    },
    send: cluster.send,
    wait: nodeWithStorage,
  };
  return { etcd, cluster, machine };
}

/** The Node of a kubelet that has started a while ago. */
async function nodeWithStorage(condition: Wait): Promise<unknown> {
  const node = { metadata: { name: 'cp2' }, status: { allocatable: { 'ephemeral-storage': '1Gi' } } };
  if (condition.kind === 'object' && condition.ref.resource === 'nodes' && condition.done(node)) return node;
  throw new Error(`would wait forever for ${condition.kind}`);
}

export const rolesOf = ({ members }: { members: readonly EtcdMember[] }): string[] =>
  members.map(({ name, isLearner }) => `${name || '?'} ${isLearner ? 'learner' : 'voter'}`);
