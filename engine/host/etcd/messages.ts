/** The messages of etcd that Joinery uses, as data. Source of names and numbers: etcd's rpc.proto. */
import type { Messages } from '../../net/protobuf.ts';

export interface MemberMessage {
  ID: bigint;
  name: string;
  peerURLs: string[];
  clientURLs: string[];
  isLearner: boolean;
}

export interface Answers {
  MemberList: { members: MemberMessage[] };
  MemberAdd: { members: MemberMessage[] };
  MemberPromote: { members: MemberMessage[] };
  MemberRemove: { members: MemberMessage[] };
  Status: { version: string; errors: string[] };
}
export type Method = keyof Answers;

const ofMembers = { members: [2, 'Member', 'repeated'] } as const;

/** The request and the answer of each call, and what they contain. All other fields are skipped. */
export const messages: Messages = {
  MemberListRequest: { linearizable: [1, 'bool'] },
  MemberListResponse: ofMembers,
  MemberAddRequest: { peerURLs: [1, 'string', 'repeated'], isLearner: [2, 'bool'] },
  MemberAddResponse: { members: [3, 'Member', 'repeated'] },
  MemberPromoteRequest: { ID: [1, 'uint64'] },
  MemberPromoteResponse: ofMembers,
  MemberRemoveRequest: { ID: [1, 'uint64'] },
  MemberRemoveResponse: ofMembers,
  Member: {
    ID: [1, 'uint64'],
    name: [2, 'string'],
    peerURLs: [3, 'string', 'repeated'],
    clientURLs: [4, 'string', 'repeated'],
    isLearner: [5, 'bool'],
  },
  StatusRequest: {},
  StatusResponse: { version: [2, 'string'], errors: [8, 'string', 'repeated'] },
};
