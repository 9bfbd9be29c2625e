/** One unary call of gRPC over a Unix socket, on a connection of its own. Source: gRPC's PROTOCOL-HTTP2. */
import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { connect } from 'node:net';

/** What runtimes expect to be called on a socket. */
const AUTHORITY = 'http://localhost';
const HEAD_BYTES = 5;

/** Of the codes that gRPC has, those that are told apart here. */
export const STATUS = {
  ok: 0,
  cancelled: 1,
  deadlineExceeded: 4,
  notFound: 5,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
};

/** The call has failed: with a status of gRPC, or, where it did not come so far, with the `code` of an error of Node. */
export class GrpcError extends Error {
  readonly status: number;
  readonly errno: string | undefined;

  constructor(status: number, message: string, cause?: unknown) {
    super(message, { cause });
    this.status = status;
    this.errno = (cause as NodeJS.ErrnoException | undefined)?.code;
  }
}

export interface UnaryCall {
  /** Of the socket. */
  path: string;
  /** `/package.Service/Method` */
  method: string;
  message: Buffer;
  timeLimitMs: number;
  bytesMax: number;
}

/** The message of the answer. GrpcError; rejects with the signal's reason where it is aborted. */
export async function unary(
  { path, method, message, timeLimitMs, bytesMax }: UnaryCall,
  signal: AbortSignal,
): Promise<Buffer> {
  signal.throwIfAborted();
  const socket = connect(path);
  const session = connectHttp2(AUTHORITY, { createConnection: () => socket });
  let timer: NodeJS.Timeout | undefined;
  let stop: () => void = () => undefined;
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      const broken = (error: Error) => reject(new GrpcError(STATUS.unavailable, error.message, error));
      timer = setTimeout(() => reject(new GrpcError(STATUS.deadlineExceeded, 'the time is over')), timeLimitMs);
      stop = () => reject(signal.reason);
      signal.addEventListener('abort', stop);
      // They stay: what comes late has no other listener, and would end this process.
      for (const one of [socket, session]) one.on('error', broken);
      const stream = session.request({
        ...{ ':method': 'POST', ':path': method, 'content-type': 'application/grpc', te: 'trailers' },
        'grpc-timeout': `${timeLimitMs}m`,
      });
      stream.on('error', broken);
      const chunks: Buffer[] = [];
      let [length, head, tail] = [0, {} as IncomingHttpHeaders, {} as IncomingHttpHeaders];
      stream.on('response', (headers) => {
        head = headers;
      });
      stream.on('trailers', (headers) => {
        tail = headers;
      });
      stream.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > bytesMax + HEAD_BYTES)
          reject(new GrpcError(STATUS.internal, `it is larger than ${bytesMax} bytes`));
        else chunks.push(chunk);
      });
      stream.on('close', () => {
        if (stream.rstCode !== 0 || head[':status'] === undefined) return broken(new Error('it ended the connection'));
        try {
          resolve(messageIn(Buffer.concat(chunks), head, tail));
        } catch (error) {
          reject(error);
        }
      });
      stream.end(framed(message));
    });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    session.destroy();
    socket.destroy();
  }
}

function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** An answer without a message has its status in the head. */
function messageIn(body: Buffer, head: IncomingHttpHeaders, tail: IncomingHttpHeaders): Buffer {
  const refuse = (what: string) => new GrpcError(STATUS.internal, what);
  if (Number(head[':status']) !== 200) throw refuse(`HTTP status ${head[':status']}`);
  if (!head['content-type']?.startsWith('application/grpc')) throw refuse('what it answers is not gRPC');
  const said = 'grpc-status' in tail ? tail : head;
  const status = /^\d{1,2}$/.test(String(said['grpc-status'])) ? Number(said['grpc-status']) : undefined;
  if (status === undefined) throw refuse('its answer has no status');
  if (status !== STATUS.ok) throw new GrpcError(status, textOf(said['grpc-message']));
  if (body.length < HEAD_BYTES || body[0] !== 0) throw refuse('its answer has no message that can be read');
  if (body.readUInt32BE(1) !== body.length - HEAD_BYTES) throw refuse('its message has another length than it says');
  return body.subarray(HEAD_BYTES);
}

/** It is percent-encoded, or should be. */
function textOf(message: string | string[] | undefined): string {
  const text = String(message ?? 'it does not say why');
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
