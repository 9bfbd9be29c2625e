import { describe, expect, test } from 'vitest';
import type { Change } from '../../engine/host/changes/index.ts';
import { recordingHost } from '../../engine/host/recording.ts';
import { parseYaml } from '../../engine/sdk/index.ts';
import { type MemoryHost, memoryHost } from '../../engine/testing/memory-host.ts';
import { undoPhase } from '../../engine/testing/run-phase.ts';
import etcdJoin from '../../phases/etcd-join/index.ts';
import { NOW } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import {
  clientUrl,
  etcdPodOf,
  healthcheck,
  input,
  peerUrl,
  rolesOf,
  type Scene,
  scene,
  unstarted,
  voter,
} from '../helpers/etcd.ts';
import { glimpseOf } from '../helpers/node.ts';

const MANIFEST = '/etc/kubernetes/manifests/etcd.yaml';
const LEASE = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/joinery-etcd';
const { signal } = new AbortController();

itKeepsThePhaseContract(etcdJoin, {
  input,
  machine: () => scene().machine,
  secrets: [glimpseOf(healthcheck.keyPem)],
});

async function joined({ machine, etcd, cluster }: Scene, inputs: object = {}) {
  const host = memoryHost(machine);
  const outcome = await runPhase(etcdJoin, { ...input, ...inputs }, host);
  return { ...outcome, host, roles: rolesOf(etcd), lease: cluster.objects.get(LEASE) as Lease | undefined };
}
type Lease = { spec: { holderIdentity?: string | null; renewTime?: string } };

const commandOf = async (host: MemoryHost): Promise<string[]> => {
  const text = String(await host.read<'file'>({ kind: 'file', path: MANIFEST }, signal));
  return (parseYaml(text) as { spec: { containers: [{ command: string[] }] } }).spec.containers[0].command;
};
const leaseHeld = (renewTime: string) => ({ spec: { holderIdentity: 'cp3', leaseDurationSeconds: 60, renewTime } });
const secondsAgo = (seconds: number) => new Date(NOW.getTime() - seconds * 1_000).toISOString();

describe('etcd-join', () => {
  test('this machine joins as a learner, starts, and becomes a voter', async () => {
    const { error, changes, roles, lease } = await joined(scene({ members: [voter(1)] }));
    expect(error).toBeUndefined();
    expect(roles).toEqual(['cp1 voter', 'cp2 voter']);
    expect(lease?.spec.holderIdentity).toBeNull();
    expect(changes.map((change) => ('path' in change ? change.path : Object.values(change).join(' ')))).toEqual([
      '/var/lib/etcd',
      'api create leases joinery-etcd sent',
      `etcd-member add-learner ${peerUrl(2)}`,
      '/etc/kubernetes/manifests',
      MANIFEST,
      'api patch leases joinery-etcd sent',
      `etcd-member promote ${peerUrl(2)}`,
      'api patch leases joinery-etcd sent',
    ]);
  });

  test('a member whose etcd has no learners, before 3.4, joins as a voter', async () => {
    const { error, changes } = await joined(scene({ version: '3.3.10' }));
    expect(error).toBeUndefined();
    expect(changes).toContainEqual({ kind: 'etcd-member', action: 'add-voter', peerUrl: peerUrl(2) });
  });

  test('a member that is a voter already is a success, and its manifest stays', async () => {
    const files = { [MANIFEST]: 'as it is', '/var/lib/etcd/member/wal': '' };
    const { error, changes, roles } = await joined(scene({ members: [voter(1), voter(2)] }, [etcdPodOf(1)], files));
    expect([error, changes]).toEqual([undefined, []]);
    expect(roles).toEqual(['cp1 voter', 'cp2 voter']);
  });

  test('a member that an earlier run has added is used, and not added again', async () => {
    const { error, changes, roles } = await joined(scene({ members: [voter(1), unstarted(2)] }));
    expect(error).toBeUndefined();
    expect(changes).not.toContainEqual(expect.objectContaining({ action: 'add-learner' }));
    expect(roles).toEqual(['cp1 voter', 'cp2 voter']);
  });

  test('the members that the new one starts with have their ID if they have no name', async () => {
    const third = { ...unstarted(3), isLearner: false };
    const { host } = await joined(scene({ members: [voter(1), third, unstarted(2)] }));
    expect(await commandOf(host)).toContain(
      `--initial-cluster=cp1=${peerUrl(1)},${third.id}=${peerUrl(3)},cp2=${peerUrl(2)}`,
    );
  });

  test('etcd has the image of the other members, unless the configuration names another one', async () => {
    const imageOf = async (etcd: object) => {
      const stage = scene({}, [etcdPodOf(1, 'mirror.test/etcd:3.5.21-0')]);
      const { host } = await joined(stage, { clusterConfiguration: { ...input.clusterConfiguration, etcd } });
      const text = String(await host.read<'file'>({ kind: 'file', path: MANIFEST }, signal));
      return /image: (.*)/.exec(text)?.[1];
    };
    expect(await imageOf({ local: {} })).toBe('mirror.test/etcd:3.5.21-0');
    expect(await imageOf({ local: { imageTag: '3.5.9-0' } })).toBe('registry.k8s.io/etcd:3.5.9-0');
    expect(await imageOf({ local: { imageRepository: 'other.test' } })).toBe('other.test/etcd:3.5.21-0');
  });

  test('an etcd before 3.6 has the older names of flags', async () => {
    const { host } = await joined(scene({}, [etcdPodOf(1, 'registry.k8s.io/etcd:3.5.21-0')]));
    expect(await commandOf(host)).toEqual(
      expect.arrayContaining([
        '--experimental-initial-corrupt-check=true',
        '--experimental-watch-progress-notify-interval=5s',
      ]),
    );
  });

  test('data of another etcd are left alone, and nothing is added', async () => {
    const stage = scene({}, [etcdPodOf(1)], { '/var/lib/etcd/member/snap': '' });
    const { error, changes, roles } = await joined(stage);
    expect(error).toMatchObject({ code: 'E_ETCD_DATA', message: expect.stringContaining('/var/lib/etcd') });
    expect([changes, roles]).toEqual([[], ['cp1 voter']]);
  });

  test('a member of this machine whose data are lost is refused, because etcd would not start', async () => {
    const { error } = await joined(scene({ members: [voter(1), voter(2)] }));
    expect(error).toMatchObject({ code: 'E_ETCD_MEMBER', transient: false });
    expect((error as Error).message).toContain('/var/lib/etcd does not have its data');
  });

  test('while another control plane joins, this one waits, and etcd is not touched', async () => {
    const stage = scene();
    stage.cluster.objects.set(LEASE, { metadata: { name: 'joinery-etcd' }, ...leaseHeld(secondsAgo(20)) } as never);
    const { error, roles } = await joined(stage);
    expect(error).toMatchObject({ code: 'E_CONTROL_PLANE_BUSY', transient: true });
    expect((error as Error).message).toContain('cp3 changes the members of etcd');
    expect(roles).toEqual(['cp1 voter']);
  });

  test.each([
    ['that has ended', leaseHeld(secondsAgo(61))],
    ['whose time cannot be read', leaseHeld('soon')],
    ['that was released', { spec: { leaseDurationSeconds: 60, renewTime: secondsAgo(1) } }],
    [
      'of this machine, from a run that was killed',
      { spec: { ...leaseHeld(secondsAgo(1)).spec, holderIdentity: 'cp2' } },
    ],
  ])('a lease %s is taken over', async (_, lease) => {
    const stage = scene();
    stage.cluster.objects.set(LEASE, { metadata: { name: 'joinery-etcd' }, ...lease } as never);
    expect((await joined(stage)).error).toBeUndefined();
  });

  test('another machine that takes the lease at the same moment wins', async () => {
    const stage = scene();
    stage.cluster.objects.set(LEASE, { metadata: { name: 'joinery-etcd', resourceVersion: '7' }, spec: {} } as never);
    stage.cluster.answers.set(`PATCH ${LEASE}`, ({ body }) => {
      expect(body).toMatchObject({ metadata: { resourceVersion: '7' } });
      return stage.cluster.answer(409, { message: 'the object has been modified' });
    });
    expect((await joined(stage)).error).toMatchObject({ code: 'E_CONTROL_PLANE_BUSY' });
  });

  test('a join that fails gives the lease back', async () => {
    const { error, lease } = await joined(scene({ refusals: 1 }));
    expect(error).toMatchObject({ code: 'E_ETCD_REFUSED', transient: true });
    expect(lease?.spec.holderIdentity).toBeNull();
  });

  test('a dry run plans the member, and neither etcd nor the cluster change', async () => {
    const { machine, etcd, cluster } = scene();
    const { error, changes } = await runPhase(etcdJoin, input, recordingHost(memoryHost(machine)));
    expect(error).toBeUndefined();
    expect(changes.map(({ kind }) => kind)).toContain('etcd-member');
    expect(rolesOf(etcd)).toEqual(['cp1 voter']);
    expect(cluster.objects.has(LEASE)).toBe(false);
  });
});

function shortOf(change: Change): string {
  if (change.kind === 'etcd-member') return change.action;
  if ('path' in change) return `${change.kind} ${change.path}`;
  if (change.kind === 'pod-sandbox') return `${change.kind} ${change.pod}`;
  return 'action' in change ? `${change.kind} ${change.action}` : change.kind;
}

describe('undo of etcd-join', () => {
  const undone = async (stage: Scene) => {
    const { host, journal, error } = await joined(stage);
    expect(error).toBeUndefined();
    const order: string[] = [];
    const { apply } = host;
    host.apply = async (change, abort) => {
      order.push(shortOf(change));
      return apply.call(host, change, abort);
    };
    const result = await undoPhase(etcdJoin, host, journal);
    return { result, host, order, roles: rolesOf(stage.etcd) };
  };

  test('the member leaves first, then its static Pod goes, and its data are deleted without a kubelet', async () => {
    const { result, order, roles, host } = await undone(scene());
    expect([result.status, roles]).toEqual(['succeeded', ['cp1 voter']]);
    const stage = order.filter((change) => !change.endsWith('.joinery.tmp'));
    expect(stage.slice(0, 6)).toEqual([
      'remove',
      `remove ${MANIFEST}`,
      'service stop',
      'pod-sandbox kube-system/etcd-cp2',
      'remove-tree /var/lib/etcd',
      'service start',
    ]);
    expect(await host.read<'stat'>({ kind: 'stat', path: '/var/lib/etcd' }, signal)).toBeUndefined();
  });

  test('a data directory that was there before stays, and is empty again', async () => {
    const stage = scene();
    const { result, host } = await undone({ ...stage, machine: { ...stage.machine, directories: ['/var/lib/etcd'] } });
    expect(result.status).toBe('succeeded');
    expect(await host.read<'list'>({ kind: 'list', path: '/var/lib/etcd' }, signal)).toEqual([]);
  });

  test('a member that was there before the run stays', async () => {
    const { result, roles, order } = await undone(scene({ members: [voter(1), unstarted(2)] }));
    expect([result.status, roles]).toEqual(['succeeded', ['cp1 voter', 'cp2 voter']]);
    expect(order).not.toContain('remove');
  });

  test('a member without which etcd would lose its quorum stays, and so do its files', async () => {
    const ill: Record<string, 'silent'> = {};
    const stage = scene({ members: [voter(1), voter(3)], ill });
    const { host, journal, error } = await joined(stage);
    expect(error).toBeUndefined();
    ill[clientUrl(3)] = 'silent';
    const result = await undoPhase(etcdJoin, host, journal);
    expect(result.status).toBe('failed');
    expect(result.error).toMatchObject({
      code: 'E_UNDO_FAILED',
      message: expect.stringMatching(/would lose its quorum: cp3 at https:\S+ does not answer/),
      hint: expect.stringContaining('--skip etcd-join'),
    });
    expect(rolesOf(stage.etcd)).toEqual(['cp1 voter', 'cp3 voter', 'cp2 voter']);
    expect(await host.read<'stat'>({ kind: 'stat', path: MANIFEST }, signal)).toBeDefined();
  });

  test('a dry run of the undo foresees that etcd would lose its quorum', async () => {
    const ill: Record<string, 'silent'> = {};
    const stage = scene({ members: [voter(1), voter(3)], ill });
    const { host, journal } = await joined(stage);
    ill[clientUrl(3)] = 'silent';
    expect((await undoPhase(etcdJoin, recordingHost(host), journal)).error).toMatchObject({
      code: 'E_UNDO_FAILED',
      message: expect.stringMatching(/would lose its quorum: cp3 at https:\S+ does not answer/),
    });
    expect(rolesOf(stage.etcd)).toEqual(['cp1 voter', 'cp3 voter', 'cp2 voter']);
  });

  test('the member leaves while this machine holds the lease, which is given back', async () => {
    const stage = scene();
    const holders: unknown[] = [];
    const { send } = stage.machine;
    stage.machine.send = (request) => {
      const { spec } = (request.body ?? {}) as Partial<Lease>;
      if (request.path.endsWith('/leases/joinery-etcd') && spec)
        holders.push([spec.holderIdentity, rolesOf(stage.etcd)]);
      return send?.(request) ?? stage.cluster.answer(404, {});
    };
    expect((await undone(stage)).result.status).toBe('succeeded');
    expect(holders.slice(-2)).toEqual([
      ['cp2', ['cp1 voter', 'cp2 voter']],
      [null, ['cp1 voter']],
    ]);
  });

  test('while another control plane joins, the member stays, and so do its files', async () => {
    const stage = scene();
    const { host, journal } = await joined(stage);
    stage.cluster.objects.set(LEASE, { metadata: { name: 'joinery-etcd' }, ...leaseHeld(secondsAgo(20)) } as never);
    const result = await undoPhase(etcdJoin, host, journal);
    expect(result.status).toBe('failed');
    expect(result.error).toMatchObject({ message: expect.stringContaining('cp3 changes the members of etcd') });
    expect(rolesOf(stage.etcd)).toEqual(['cp1 voter', 'cp2 voter']);
    expect(await host.read<'stat'>({ kind: 'stat', path: MANIFEST }, signal)).toBeDefined();
  });

  test('a second undo, after one that was interrupted, finds the member gone and removes the rest', async () => {
    const stage = scene();
    const { host, journal } = await joined(stage);
    stage.etcd.change('remove', peerUrl(2));
    expect((await undoPhase(etcdJoin, host, journal)).status).toBe('succeeded');
    expect(await host.read<'stat'>({ kind: 'stat', path: MANIFEST }, signal)).toBeUndefined();
  });
});
