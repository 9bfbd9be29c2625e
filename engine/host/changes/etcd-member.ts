/** A change of the members of an etcd. The phase that makes it undoes it, before the files of the machine change. */
import type { EtcdAccess } from '../../sdk/ports.ts';
import { type EtcdAction, isApplied, memberAt } from '../etcd/members.ts';
import type { ChangeKind, OtherBefore } from './kind.ts';

export interface EtcdMemberChange {
  kind: 'etcd-member';
  action: EtcdAction;
  access: EtcdAccess;
  peerUrl: string;
}

export type EtcdMemberDescription = Pick<EtcdMemberChange, 'kind' | 'action' | 'peerUrl'>;

const TEXT: Record<EtcdAction, (member: string) => string> = {
  'add-learner': (member) => `add ${member} to etcd as a learner`,
  'add-voter': (member) => `add ${member} to etcd as a voting member`,
  promote: (member) => `make the etcd member ${member} a voting member`,
  remove: (member) => `remove the member ${member} from etcd`,
};

export const etcdMember: ChangeKind<EtcdMemberChange, EtcdMemberDescription, OtherBefore> = {
  subject: ({ peerUrl }) => `etcd member ${peerUrl}`,
  text: ({ action, peerUrl }) => TEXT[action](peerUrl),
  check: (_, permissions) =>
    permissions.require(
      permissions.effects('etcd').some(({ access }) => access === 'change'),
      'change the members of etcd',
    ),
  async describe({ kind, action, access, peerUrl }, read) {
    const members = await read({ kind: 'etcd-members', access });
    return isApplied(action, memberAt(members, peerUrl)) ? undefined : { kind, action, peerUrl };
  },
  snapshot: () => ({ before: { kind: 'phase' } }),
  async apply({ action, access, peerUrl }, { etcd }, signal) {
    await (await etcd()).change(access, action, peerUrl, signal);
  },
  overlay: ({ action, peerUrl }, overlay) => overlay.changeEtcd(action, peerUrl),
};
