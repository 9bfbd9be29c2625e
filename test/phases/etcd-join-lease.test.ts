/** The lease of the members of etcd after a run that was killed. */
import { expect, test } from 'vitest';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import etcdJoin from '../../phases/etcd-join/index.ts';
import { NOW } from '../helpers/cluster.ts';
import { runPhase } from '../helpers/contract.ts';
import { etcdPodOf, input, scene, voter } from '../helpers/etcd.ts';

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/joinery-etcd';

test('the lease of a run that was killed when it had promoted the member is given back', async () => {
  const files = { '/etc/kubernetes/manifests/etcd.yaml': '', '/var/lib/etcd/member/wal': '' };
  const { cluster, machine } = scene({ members: [voter(1), voter(2)] }, [etcdPodOf(1)], files);
  const spec = { holderIdentity: 'cp2', leaseDurationSeconds: 60, renewTime: NOW.toISOString() };
  cluster.objects.set(LEASE, { metadata: { name: 'joinery-etcd' }, spec } as never);
  const { error } = await runPhase(etcdJoin, input, memoryHost(machine));
  expect(error).toBeUndefined();
  expect(cluster.objects.get(LEASE)).toMatchObject({ spec: { holderIdentity: null } });
});
