/** Serves an etcd in memory as one of its members: the gRPC of etcd, over TLS with client certificates. */
import { once } from 'node:events';
import { createSecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { buffer } from 'node:stream/consumers';
import type { EtcdAction } from '../host/etcd/members.ts';
import { type Answers, type MemberMessage, type Method, messages } from '../host/etcd/messages.ts';
import { decodeMessage, encodeMessage } from '../net/protobuf.ts';
import { isJoinError } from '../sdk/errors.ts';
import type { EtcdMember } from '../sdk/ports.ts';
import type { MemoryEtcd } from './memory-etcd.ts';

export interface EtcdListener {
  /** `https://host:port`, one of the client URLs of the member. */
  url: string;
  cert: string;
  key: string;
  /** Issues the certificates of clients. */
  ca: string;
}

const [NOT_FOUND, FAILED_PRECONDITION, UNIMPLEMENTED, UNAVAILABLE] = [5, 9, 12, 14];
const HEAD_BYTES = 5;

export async function serveEtcd(etcd: MemoryEtcd, listener: EtcdListener): Promise<{ close(): Promise<void> }> {
  const { url, ...certificates } = listener;
  const sessions = new Set<ServerHttp2Session>();
  const server = createSecureServer({ ...certificates, requestCert: true, rejectUnauthorized: true });
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined).on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, { ':path': path = '' }) => void answer(stream, path, { etcd, url }));
  const { hostname, port } = new URL(url);
  server.listen(Number(port), hostname.replace(/^\[|\]$/g, ''));
  await once(server, 'listening');
  return {
    async close() {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Member {
  etcd: MemoryEtcd;
  url: string;
}

async function answer(stream: ServerHttp2Stream, path: string, member: Member): Promise<void> {
  stream.on('error', () => undefined); // the client is gone
  const [, method = ''] = /^\/etcdserverpb\.(?:Cluster|Maintenance)\/(\w+)$/.exec(path) ?? [];
  try {
    const frame = await buffer(stream);
    if (!isMethod(method)) return refuse(stream, UNIMPLEMENTED, `unknown method ${path}`);
    const request = decodeMessage(messages, `${method}Request`, frame.subarray(HEAD_BYTES));
    accept(stream, encodeMessage(messages, `${method}Response`, CALLS[method](member, request)));
  } catch (error) {
    const message = isJoinError(error) ? String((error.facts as { message?: string }).message) : String(error);
    refuse(stream, statusOf(message), message);
  }
}

const isMethod = (name: string): name is Method => Object.hasOwn(CALLS, name);

function statusOf(message: string): number {
  if (message.endsWith('not found')) return NOT_FOUND;
  return /unhealthy|no leader|for learner/.test(message) ? UNAVAILABLE : FAILED_PRECONDITION;
}

type Call<M extends Method> = (member: Member, request: Record<string, unknown>) => Answers[M];

const CALLS: { [M in Method]: Call<M> } = {
  MemberList: (member) => membersOf(member),
  MemberAdd(member, request) {
    const { peerURLs, isLearner } = request as { peerURLs: string[]; isLearner: boolean };
    return changed(member, isLearner ? 'add-learner' : 'add-voter', peerURLs[0] ?? '');
  },
  MemberPromote: (member, { ID }) => changed(member, 'promote', member.etcd.peerUrlOf(hexOf(ID))),
  MemberRemove: (member, { ID }) => changed(member, 'remove', member.etcd.peerUrlOf(hexOf(ID))),
  Status: ({ etcd, url }) => {
    const { version, errors } = etcd.status(url);
    return { version, errors: [...errors] };
  },
};

const hexOf = (id: unknown): string => (id as bigint).toString(16);

function changed(member: Member, action: EtcdAction, peerUrl: string): { members: MemberMessage[] } {
  member.etcd.assertAnswers(member.url);
  member.etcd.change(action, peerUrl);
  return membersOf(member);
}

function membersOf({ etcd, url }: Member): { members: MemberMessage[] } {
  etcd.assertAnswers(url);
  return { members: etcd.members.map(messageOf) };
}

const messageOf = ({ id, name, peerUrls, clientUrls, isLearner }: EtcdMember): MemberMessage => ({
  ID: BigInt(`0x${id}`),
  name,
  peerURLs: [...peerUrls],
  clientURLs: [...clientUrls],
  isLearner,
});

function accept(stream: ServerHttp2Stream, message: Uint8Array): void {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(message.length, 1);
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': 0 }));
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.end(Buffer.concat([head, message]));
}

function refuse(stream: ServerHttp2Stream, status: number, message: string): void {
  if (stream.destroyed) return;
  stream.respond(
    {
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': status,
      'grpc-message': encodeURIComponent(message),
    },
    { endStream: true },
  );
}
