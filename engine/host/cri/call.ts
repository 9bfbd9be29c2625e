/** One call of the CRI over gRPC. Importing this file loads HTTP/2, so it is imported on the first call. */
import { connect } from 'node:net';
import { GrpcError, STATUS, unary } from '../../net/grpc.ts';
import { decodeMessage, encodeMessage } from '../../net/protobuf.ts';
import { fail } from '../../sdk/errors.ts';
import { clean } from '../../sdk/text.ts';
import { type Answers, type ApiVersion, type Method, messages } from './messages.ts';

const MESSAGE_BYTES_MAX = 16 << 20;
/** The limit of the kernel. Node truncates a longer path, and would connect to another socket. */
const PATH_BYTES_MAX = 107;
/** The host name that runtimes expect on a socket. */
const AUTHORITY = 'http://localhost';

export interface Call<M extends Method> {
  /** The socket as errors name it. */
  socket: string;
  /** The path of the socket for this process. */
  path: string;
  apiVersion: ApiVersion;
  method: M;
  request: Record<string, unknown>;
  timeLimitMs: number;
}

/** Each call has its own connection, so that none stays open. E_CRI_UNREACHABLE, E_CRI_REFUSED. */
export async function call<M extends Method>(asked: Call<M>, signal: AbortSignal): Promise<Answers[M]> {
  if (Buffer.byteLength(asked.path) > PATH_BYTES_MAX) {
    const what = `${asked.path} is longer than the ${PATH_BYTES_MAX} bytes that a socket's path can have`;
    throw fail('E_CRI_UNREACHABLE', { socket: asked.socket, what });
  }
  const { apiVersion, method, request, timeLimitMs } = asked;
  try {
    const answer = await unary(
      {
        connection: connect(asked.path),
        authority: AUTHORITY,
        path: `/runtime.${apiVersion}.RuntimeService/${method}`,
        message: encodeMessage(messages, `${method}Request`, request),
        timeLimitMs,
        answerBytesMax: MESSAGE_BYTES_MAX,
      },
      signal,
    );
    return decoded(method, answer);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const isAbsent = error instanceof GrpcError && error.status === CALLS[method].absent;
    if (isAbsent) return undefined as Answers[M]; // as their type allows
    throw callError(error as Error, asked);
  }
}

function decoded<M extends Method>(method: M, answer: Uint8Array): Answers[M] {
  try {
    return decodeMessage(messages, `${method}Response`, answer) as Answers[M]; // as `messages` describes it
  } catch {
    throw new GrpcError(STATUS.internal, 'its answer is not a message of the CRI');
  }
}

/** What a failed call tried to do, and the error code of a runtime that does not have the call or the sandbox. */
const CALLS: Record<Method, { what: string; absent?: number }> = {
  Version: { what: 'report its version', absent: STATUS.unimplemented },
  Status: { what: 'report its status' },
  RuntimeConfig: { what: 'report its configuration', absent: STATUS.unimplemented },
  ListPodSandbox: { what: 'list its sandboxes' },
  StopPodSandbox: { what: 'stop a sandbox', absent: STATUS.notFound },
  RemovePodSandbox: { what: 'remove a sandbox', absent: STATUS.notFound },
};

export const SOCKET_ERRORS: Record<string, string> = {
  ENOENT: 'there is no such socket',
  ENOTDIR: 'there is no such socket',
  ECONNREFUSED: 'nothing listens there',
  EACCES: 'permission denied',
  ERR_CLOSED: 'it closed the connection before it had answered',
  ERR_HTTP2_ERROR: 'the program that listens there does not speak gRPC',
};

function callError(error: Error, { socket, method, timeLimitMs }: Call<Method>): Error {
  const { what } = CALLS[method];
  const unreachable = (why: string) => fail('E_CRI_UNREACHABLE', { socket, what: why }, error);
  if (!(error instanceof GrpcError)) {
    const { code } = error as NodeJS.ErrnoException;
    return code === undefined ? error : unreachable(SOCKET_ERRORS[code] ?? `the connection failed (${clean(code)})`);
  }
  const { status, message } = error;
  if (status === STATUS.deadlineExceeded) return unreachable(`it did not ${what} within ${timeLimitMs / 1000} s`);
  if (status === STATUS.unavailable || status === STATUS.cancelled) return unreachable(clean(message));
  return fail('E_CRI_REFUSED', { socket, what, message: clean(message) }, error);
}
