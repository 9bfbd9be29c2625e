/** One call of etcd: gRPC over TLS with a client certificate. */
import type { Socket } from 'node:net';
import { failureText, unlessAborted } from '../../net/failure.ts';
import { GrpcError, unary } from '../../net/grpc.ts';
import { decodeMessage, encodeMessage } from '../../net/protobuf.ts';
import { trustedConnector } from '../../net/trusted-connector.ts';
import { fail } from '../../sdk/errors.ts';
import type { EtcdAccess } from '../../sdk/ports.ts';
import { clean } from '../../sdk/text.ts';
import { type Answers, type Method, messages } from './messages.ts';

const CONNECT_TIMEOUT_MS = 2_000;
const ANSWER_TIMEOUT_MS = 2_000;
/** A member has about 200 bytes. */
const ANSWER_BYTES_MAX = 1 << 20;

/** No answer of this endpoint: another one may answer. `what` is a clause about the endpoint. */
export class NoAnswer extends Error {}

export interface EtcdCall<M extends Method> {
  access: EtcdAccess;
  endpoint: string;
  method: M;
  request: Record<string, unknown>;
  now: () => Date;
}

const WHAT: Record<Method, string> = {
  MemberList: 'list its members',
  MemberAdd: 'add a member',
  MemberPromote: 'promote a member',
  MemberRemove: 'remove a member',
  Status: 'report its status',
};

/** E_ETCD_REFUSED if etcd refuses the call; NoAnswer if this endpoint does not answer it. */
export async function call<M extends Method>(asked: EtcdCall<M>, signal: AbortSignal): Promise<Answers[M]> {
  const { access, endpoint, method, request, now } = asked;
  const service = method === 'Status' ? 'Maintenance' : 'Cluster';
  try {
    const connection = await connectionTo(access, endpoint, now, signal);
    const answer = await unary(
      {
        connection,
        authority: endpoint,
        path: `/etcdserverpb.${service}/${method}`,
        message: encodeMessage(messages, `${method}Request`, request),
        ...{ timeLimitMs: ANSWER_TIMEOUT_MS, answerBytesMax: ANSWER_BYTES_MAX },
      },
      signal,
    );
    return decodeMessage(messages, `${method}Response`, answer) as Answers[M]; // as `messages` describes it
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof GrpcError && error.message.startsWith('etcdserver: ')) throw refusal(asked, error);
    throw new NoAnswer(failureText(error, endpoint, CONNECT_TIMEOUT_MS), { cause: error });
  }
}

/** A learner answers no question about members, so another endpoint is asked. */
function refusal({ endpoint, method }: EtcdCall<Method>, error: GrpcError): Error {
  if (error.message.includes('rpc not supported for learner')) return new NoAnswer('it is a learner');
  return fail('E_ETCD_REFUSED', { endpoint, what: WHAT[method], message: clean(error.message) }, error);
}

function connectionTo(
  { ca, certificate }: EtcdAccess,
  endpoint: string,
  now: () => Date,
  signal: AbortSignal,
): Promise<Socket> {
  if (!URL.canParse(endpoint) || !endpoint.startsWith('https://')) throw new NoAnswer('it is not an https:// address');
  const connect = trustedConnector({
    server: endpoint,
    ca: [ca],
    now,
    client: { cert: certificate.pem, key: certificate.key.reveal() },
    alpn: 'h2',
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
  });
  const { hostname, port } = new URL(endpoint);
  const opened = new Promise<Socket>((resolve, reject) => {
    connect({ protocol: 'https:', hostname, port }, (error, socket) => {
      if (error !== null) reject(error);
      else if (signal.aborted) socket.destroy();
      else resolve(socket);
    });
  });
  return unlessAborted(opened, signal);
}
