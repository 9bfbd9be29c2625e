/** One call of the CRI over gRPC. Importing this file loads the gRPC libraries, so it is imported on the first call. */
import { connect, type Socket } from 'node:net';
import type { DescMethodUnary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { fail } from '../../sdk/errors.ts';
import { clean } from '../../sdk/text.ts';
import { type Answers, type ApiVersion, type Method, runtimeService } from './messages.ts';

const MESSAGE_BYTES_MAX = 16 << 20;
/** The limit of the kernel. Node truncates a longer path, and would connect to another socket. */
const PATH_BYTES_MAX = 107;
/** The host name that runtimes expect on a socket. */
const AUTHORITY = 'http://localhost';

const services = { v1: runtimeService('v1'), v1alpha2: runtimeService('v1alpha2') };

export interface Call<M extends Method> {
  /** The socket as errors name it. */
  socket: string;
  /** The path of the socket for this process. */
  path: string;
  apiVersion: ApiVersion;
  method: M;
  request: object;
  timeLimitMs: number;
}

/** Each call has its own connection, so that none stays open. E_CRI_UNREACHABLE, E_CRI_REFUSED. */
export async function call<M extends Method>(asked: Call<M>, signal: AbortSignal): Promise<Answers[M]> {
  if (Buffer.byteLength(asked.path) > PATH_BYTES_MAX) {
    const what = `${asked.path} is longer than the ${PATH_BYTES_MAX} bytes that a socket's path can have`;
    throw fail('E_CRI_UNREACHABLE', { socket: asked.socket, what });
  }
  const connections: Socket[] = [];
  const createConnection = (): Socket => {
    const connection = connect(asked.path);
    connections.push(connection);
    return connection;
  };
  const sessionManager = new Http2SessionManager(AUTHORITY, {}, { createConnection });
  const transport = createGrpcTransport({
    baseUrl: AUTHORITY,
    sessionManager,
    readMaxBytes: MESSAGE_BYTES_MAX,
    acceptCompression: [],
    binaryOptions: { readUnknownFields: false },
  });
  const method = services[asked.apiVersion].methods.find(({ name }) => name === asked.method) as DescMethodUnary;
  try {
    const { message } = await transport.unary(method, signal, asked.timeLimitMs, undefined, asked.request as never);
    return message as unknown as Answers[M]; // as `messages` describes it
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (!(error instanceof ConnectError)) throw error;
    if (error.code === CALLS[asked.method].absent) return undefined as Answers[M]; // as their type allows
    throw callError(error, asked);
  } finally {
    // The session manager would stop listening first, and a late error of the session would end this process.
    for (const connection of connections) connection.destroy();
  }
}

/** What a failed call tried to do, and the error code of a runtime that does not have the call or the sandbox. */
const CALLS: Record<Method, { what: string; absent?: Code }> = {
  Version: { what: 'report its version', absent: Code.Unimplemented },
  Status: { what: 'report its status' },
  RuntimeConfig: { what: 'report its configuration', absent: Code.Unimplemented },
  ListPodSandbox: { what: 'list its sandboxes' },
  StopPodSandbox: { what: 'stop a sandbox', absent: Code.NotFound },
  RemovePodSandbox: { what: 'remove a sandbox', absent: Code.NotFound },
};

export const SOCKET_ERRORS: Record<string, string> = {
  ENOENT: 'there is no such socket',
  ENOTDIR: 'there is no such socket',
  ECONNREFUSED: 'nothing listens there',
  EACCES: 'permission denied',
  ERR_HTTP2_ERROR: 'the program that listens there does not speak gRPC',
};

function callError({ code, rawMessage, cause }: ConnectError, { socket, method, timeLimitMs }: Call<Method>): Error {
  const { what } = CALLS[method];
  const unreachable = (why: string) => fail('E_CRI_UNREACHABLE', { socket, what: why }, cause);
  const errno = (cause as NodeJS.ErrnoException | undefined)?.code;
  if (errno !== undefined) return unreachable(SOCKET_ERRORS[errno] ?? `the connection failed (${clean(errno)})`);
  if (code === Code.DeadlineExceeded) return unreachable(`it did not ${what} within ${timeLimitMs / 1000} s`);
  if (code === Code.Unavailable || code === Code.Canceled) return unreachable(clean(rawMessage));
  return fail('E_CRI_REFUSED', { socket, what, message: clean(rawMessage) }, cause);
}
