/** One call of the CRI over gRPC. Only who asks a runtime waits for it to load. */
import { fail } from '../sdk/errors.ts';
import { clean } from '../sdk/text.ts';
import { type Answers, type ApiVersion, type Method, messages } from './cri-messages.ts';
import { GrpcError, STATUS, unary } from './grpc.ts';
import { decode, encode } from './protobuf.ts';

const MESSAGE_BYTES_MAX = 16 << 20;
/** The kernel's limit. Node cuts a longer path, and would connect to another socket. */
const PATH_BYTES_MAX = 107;

export interface Call<M extends Method> {
  /** As errors name it. */
  socket: string;
  /** Where it lies for this process. */
  path: string;
  apiVersion: ApiVersion;
  method: M;
  request: Readonly<Record<string, string | boolean>>;
  timeLimitMs: number;
}

/** E_CRI_UNREACHABLE, E_CRI_REFUSED. */
export async function call<M extends Method>(asked: Call<M>, signal: AbortSignal): Promise<Answers[M]> {
  const { path, apiVersion, method, request, timeLimitMs } = asked;
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) {
    const what = `${path} is longer than the ${PATH_BYTES_MAX} bytes that a socket's path can have`;
    throw fail('E_CRI_UNREACHABLE', { socket: asked.socket, what });
  }
  try {
    const message = encode(messages, `${method}Request`, request);
    const name = `/runtime.${apiVersion}.RuntimeService/${method}`;
    const answer = await unary({ path, method: name, message, timeLimitMs, bytesMax: MESSAGE_BYTES_MAX }, signal);
    return read(method, answer);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (!(error instanceof GrpcError)) throw error;
    if (error.status === CALLS[method].absent) return undefined as Answers[M]; // which allows it for these
    throw inWords(error, asked);
  }
}

function read<M extends Method>(method: M, answer: Buffer): Answers[M] {
  try {
    return decode(messages, `${method}Response`, answer) as Answers[M]; // as `messages` describes it
  } catch (error) {
    throw new GrpcError(STATUS.internal, `its answer cannot be read: ${(error as Error).message}`);
  }
}

/** What fails when a call fails, and the code that says that there is nothing to ask. */
const CALLS: Record<Method, { what: string; absent?: number }> = {
  Version: { what: 'tell its version', absent: STATUS.unimplemented },
  Status: { what: 'tell its status' },
  RuntimeConfig: { what: 'tell its configuration', absent: STATUS.unimplemented },
  ListPodSandbox: { what: 'list its sandboxes' },
  StopPodSandbox: { what: 'stop a sandbox', absent: STATUS.notFound },
  RemovePodSandbox: { what: 'remove a sandbox', absent: STATUS.notFound },
};

const ERRNO: Record<string, string> = {
  ENOENT: 'there is no such socket',
  ECONNREFUSED: 'nothing listens there',
  EACCES: 'permission denied',
  ERR_HTTP2_ERROR: 'what listens there does not speak gRPC',
};

function inWords(error: GrpcError, { socket, method, timeLimitMs }: Call<Method>): Error {
  const { status, errno, message, cause } = error;
  const { what } = CALLS[method];
  const unreachable = (why: string) => fail('E_CRI_UNREACHABLE', { socket, what: why }, cause);
  if (errno !== undefined) return unreachable(ERRNO[errno] ?? clean(message));
  if (status === STATUS.deadlineExceeded) return unreachable(`it did not ${what} within ${timeLimitMs / 1000} s`);
  if (status === STATUS.unavailable || status === STATUS.cancelled) return unreachable(clean(message));
  return fail('E_CRI_REFUSED', { socket, what, message: clean(message) }, cause);
}
