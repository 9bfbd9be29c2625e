import { describe, expect, test } from 'vitest';
import { recordingHost } from '../../../../engine/host/recording.ts';
import { changesEtcd, type EtcdAccess, type EtcdMember, readsEtcd, Secret } from '../../../../engine/sdk/index.ts';
import { MemoryEtcd, type MemoryEtcdOptions } from '../../../../engine/testing/memory-etcd.ts';
import { memoryHost } from '../../../../engine/testing/memory-host.ts';
import { joinErrorOf } from '../../../helpers/errors.ts';
import { portsOn } from '../../../helpers/machine.ts';

const peer = (n: number) => `https://198.51.100.1${n}:2380`;
const client = (n: number) => `https://198.51.100.1${n}:2379`;
const voter = (n: number): EtcdMember => ({
  id: `a${n}`,
  name: `cp${n}`,
  peerUrls: [peer(n)],
  clientUrls: [client(n)],
  isLearner: false,
});
const access: EtcdAccess = { endpoints: [client(1)], ca: 'CA', certificate: { pem: 'PEM', key: new Secret('KEY') } };
const cluster = (options: Partial<MemoryEtcdOptions> = {}) =>
  new MemoryEtcd({ members: [voter(1)], starts: 'cp2', ...options });
const rolesOf = ({ members }: { members: readonly EtcdMember[] }) =>
  members.map(({ name, isLearner }) => `${name || '?'} ${isLearner ? 'learner' : 'voter'}`);

describe('the port etcd', () => {
  test('a phase that declares nothing reaches no etcd, and one that only reads changes no member', async () => {
    const host = memoryHost({ etcd: cluster() });
    const undeclared = { code: 'E_EFFECT_UNDECLARED' };
    const { etcd: none } = portsOn(host, []).ports;
    expect(await joinErrorOf(() => none.members(access))).toMatchObject(undeclared);
    expect(await joinErrorOf(() => none.status(access, client(1)))).toMatchObject(undeclared);
    expect(await joinErrorOf(() => none.waitUntilStarted(access, peer(1)))).toMatchObject(undeclared);
    const { etcd: reader } = portsOn(host, [readsEtcd('health')]).ports;
    expect(rolesOf({ members: await reader.members(access) })).toEqual(['cp1 voter']);
    expect(await joinErrorOf(() => reader.add(access, peer(2), 'learner'))).toMatchObject(undeclared);
    expect(await joinErrorOf(() => reader.remove(access, peer(1)))).toMatchObject(undeclared);
  });

  test('a change is recorded without the key before etcd is asked, and one that is done is not repeated', async () => {
    const etcd = cluster();
    const { ports, recorded } = portsOn(memoryHost({ etcd }), [changesEtcd('the new member')]);
    await ports.etcd.add(access, peer(2), 'learner');
    await ports.etcd.add(access, peer(2), 'learner');
    await ports.etcd.waitUntilStarted(access, peer(2));
    await ports.etcd.promote(access, peer(2));
    await ports.etcd.promote(access, peer(2));
    expect(rolesOf(etcd)).toEqual(['cp1 voter', 'cp2 voter']);
    expect(recorded).toEqual([
      { kind: 'etcd-member', action: 'add-learner', peerUrl: peer(2) },
      { kind: 'etcd-member', action: 'promote', peerUrl: peer(2) },
    ]);
  });

  test('a dry run plans the changes, reads them back, and leaves etcd as it is', async () => {
    const etcd = cluster();
    const { ports, changes } = portsOn(recordingHost(memoryHost({ etcd })), [changesEtcd('the new member')]);
    await ports.etcd.add(access, peer(2), 'learner');
    expect(rolesOf({ members: await ports.etcd.members(access) })).toEqual(['cp1 voter', '? learner']);
    await ports.etcd.waitUntilStarted(access, peer(2));
    await ports.etcd.promote(access, peer(2));
    await ports.etcd.waitUntilHealthy(access, client(2));
    await ports.etcd.remove(access, peer(1));
    expect(rolesOf({ members: await ports.etcd.members(access) })).toEqual(['? voter']);
    expect(changes).toHaveLength(3);
    expect(rolesOf(etcd)).toEqual(['cp1 voter']);
  });
});

describe('the etcd in memory refuses what etcd refuses, in the same words', () => {
  test.each([
    ['a second learner', 'too many learner members', [voter(1), { ...voter(2), isLearner: true }], 'add-learner', 3],
    ['the promotion of a voter', 'can only promote a learner member', [voter(1)], 'promote', 1],
    [
      'a learner that has not started',
      'in sync with leader',
      [voter(1), { ...voter(2), name: '', isLearner: true }],
      'promote',
      2,
    ],
    ['a peer URL that exists', 'Peer URLs already exists', [voter(1)], 'add-voter', 1],
    ['an unknown member', 'member not found', [voter(1)], 'remove', 2],
    [
      'a voter beside one that has not started',
      'not enough started members',
      [voter(1), { ...voter(2), name: '' }],
      'add-voter',
      3,
    ],
    ['the last member', 'not enough started members', [voter(1)], 'remove', 1],
  ] as const)('%s', (_, message, members, action, at) => {
    expect(() => cluster({ members }).change(action, peer(at))).toThrow(message);
  });

  test('the removal of a voter without which no majority answers', () => {
    const etcd = cluster({ members: [voter(1), voter(2), voter(3)], ill: { [client(1)]: 'silent' } });
    expect(() => etcd.change('remove', peer(3))).toThrow('etcdserver: unhealthy cluster');
  });
});
