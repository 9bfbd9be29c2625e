import type { Etcd, EtcdAccess } from '../../sdk/ports.ts';
import type { EtcdAction, EtcdWait } from '../etcd/members.ts';
import type { GuardedHost } from './guarded-host.ts';

export function etcdPort(guarded: GuardedHost): Etcd {
  const requireRead = () => guarded.permissions.require(guarded.permissions.declares('etcd'), 'read members of etcd');
  const change = (access: EtcdAccess, action: EtcdAction, peerUrl: string) =>
    guarded.change({ kind: 'etcd-member', action, access, peerUrl });
  const wait = async (access: EtcdAccess, until: EtcdWait['until'], at: string) => {
    requireRead();
    await guarded.wait(`etcd at ${at}`, { kind: 'etcd', access, until, at });
  };
  return {
    async members(access) {
      requireRead();
      return guarded.read({ kind: 'etcd-members', access });
    },
    async status(access, endpoint) {
      requireRead();
      return guarded.read({ kind: 'etcd-status', access, endpoint });
    },
    add: (access, peerUrl, role) => change(access, role === 'learner' ? 'add-learner' : 'add-voter', peerUrl),
    promote: (access, peerUrl) => change(access, 'promote', peerUrl),
    remove: (access, peerUrl) => change(access, 'remove', peerUrl),
    waitUntilStarted: (access, peerUrl) => wait(access, 'started', peerUrl),
    waitUntilHealthy: (access, endpoint) => wait(access, 'healthy', endpoint),
  };
}
