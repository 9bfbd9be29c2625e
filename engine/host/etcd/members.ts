/** Members of an etcd, and what a change of them leaves. A member is named by a peer URL. */
import type { EtcdAccess, EtcdMember } from '../../sdk/ports.ts';

export type EtcdAction = 'add-learner' | 'add-voter' | 'promote' | 'remove';

export interface EtcdWait {
  kind: 'etcd';
  access: EtcdAccess;
  /** `started`: the member with the peer URL `at` has a name. `healthy`: the endpoint `at` answers without errors. */
  until: 'started' | 'healthy';
  at: string;
}

export const memberAt = (members: readonly EtcdMember[], peerUrl: string): EtcdMember | undefined =>
  members.find(({ peerUrls }) => peerUrls.includes(peerUrl));

/** Whether the members are as the action would leave them. */
export function isApplied(action: EtcdAction, member: EtcdMember | undefined): boolean {
  if (action === 'remove') return member === undefined;
  return action === 'promote' ? member?.isLearner === false : member !== undefined;
}
