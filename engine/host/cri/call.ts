/** One call of the CRI over gRPC. This loads the libraries for that, so it is loaded itself on the first call only. */
import { connect, type Socket } from 'node:net';
import type { DescMethodUnary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { fail } from '../../sdk/errors.ts';
import { clean } from '../../sdk/text.ts';
import { type Answers, type ApiVersion, type Method, runtimeService } from './messages.ts';

const MESSAGE_BYTES_MAX = 16 << 20;
/** The kernel's limit. Node cuts a longer path, and would connect to another socket. */
const PATH_BYTES_MAX = 107;
/** What runtimes expect to be called on a socket. */
const AUTHORITY = 'http://localhost';

const services = { v1: runtimeService('v1'), v1alpha2: runtimeService('v1alpha2') };

export interface Call<M extends Method> {
  /** As errors name it. */
  socket: string;
  /** Where it lies for this process. */
  path: string;
  apiVersion: ApiVersion;
  method: M;
  request: object;
  timeLimitMs: number;
}

/** On a connection of its own: there are few, and none is left behind. E_CRI_UNREACHABLE, E_CRI_REFUSED. */
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
    if (error.code === CALLS[asked.method].absent) return undefined as Answers[M]; // which allows it for these
    throw inWords(error, asked);
  } finally {
    // Not by the session manager: it would stop listening first, and a late error of the session would end this
    // process.
    for (const connection of connections) connection.destroy();
  }
}

/** What fails when a call fails, and the code that says that there is nothing to ask. */
const CALLS: Record<Method, { what: string; absent?: Code }> = {
  Version: { what: 'tell its version', absent: Code.Unimplemented },
  Status: { what: 'tell its status' },
  RuntimeConfig: { what: 'tell its configuration', absent: Code.Unimplemented },
  ListPodSandbox: { what: 'list its sandboxes' },
  StopPodSandbox: { what: 'stop a sandbox', absent: Code.NotFound },
  RemovePodSandbox: { what: 'remove a sandbox', absent: Code.NotFound },
};

const ERRNO: Record<string, string> = {
  ENOENT: 'there is no such socket',
  ECONNREFUSED: 'nothing listens there',
  EACCES: 'permission denied',
  ERR_HTTP2_ERROR: 'what listens there does not speak gRPC',
};

function inWords({ code, rawMessage, cause }: ConnectError, { socket, method, timeLimitMs }: Call<Method>): Error {
  const { what } = CALLS[method];
  const unreachable = (why: string) => fail('E_CRI_UNREACHABLE', { socket, what: why }, cause);
  const errno = (cause as NodeJS.ErrnoException | undefined)?.code;
  if (errno !== undefined) return unreachable(ERRNO[errno] ?? clean(rawMessage));
  if (code === Code.DeadlineExceeded) return unreachable(`it did not ${what} within ${timeLimitMs / 1000} s`);
  if (code === Code.Unavailable || code === Code.Canceled) return unreachable(clean(rawMessage));
  return fail('E_CRI_REFUSED', { socket, what, message: clean(rawMessage) }, cause);
}
