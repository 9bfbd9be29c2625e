/** One unary gRPC call over HTTP/2. Source: gRPC over HTTP2 (PROTOCOL-HTTP2.md of the gRPC project). */
import { type ClientHttp2Stream, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import { startTimer } from '../limits/timers.ts';

/** The status codes of gRPC that Joinery tells apart. */
export const STATUS = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

/** The server refused the call, or its answer is not one. `status` is a code of gRPC. */
export class GrpcError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface UnaryCall {
  /** A new connection, which the call closes. */
  connection: Socket;
  /** `http://host:port`, or `https://…`. */
  authority: string;
  /** `/package.Service/Method` */
  path: string;
  message: Uint8Array;
  timeLimitMs: number;
  answerBytesMax: number;
}

/** A byte that says whether the message is compressed, and the length of the message. */
const HEAD_BYTES = 5;

/**
 * Returns the message of the answer. Throws a GrpcError, the reason of `signal`, or the error of the connection with
 * its code.
 */
export async function unary(call: UnaryCall, signal: AbortSignal): Promise<Uint8Array> {
  const { connection, authority, path, timeLimitMs } = call;
  let end: (reason: unknown) => void = () => undefined;
  const ended = new Promise<never>((_, reject) => {
    end = reject;
  });
  ended.catch(() => undefined); // it may be rejected after the answer
  const stop = () => end(signal.reason);
  const late = startTimer(timeLimitMs, () => end(new GrpcError(STATUS.deadlineExceeded, 'no answer in time')));
  signal.addEventListener('abort', stop, { once: true });
  connection.on('error', end); // the streams report only that they were cancelled
  const session = connect(authority, { createConnection: () => connection }).on('error', end);
  try {
    signal.throwIfAborted();
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      te: 'trailers',
      'content-type': 'application/grpc+proto',
      'grpc-timeout': `${Math.ceil(timeLimitMs)}m`,
    });
    stream.on('error', end).end(framed(call.message));
    return await Promise.race([answerOf(stream, call.answerBytesMax), ended]);
  } finally {
    late.cancel();
    signal.removeEventListener('abort', stop);
    session.destroy();
    connection.destroy();
  }
}

function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

async function answerOf(stream: ClientHttp2Stream, bytesMax: number): Promise<Uint8Array> {
  let [headers, trailers]: IncomingHttpHeaders[] = [];
  stream.on('response', (received) => {
    headers = received;
  });
  stream.on('trailers', (received) => {
    trailers = received;
  });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    chunks.push(chunk);
    if (chunks.length === 1) assertGrpc(headers);
    if (bytes > bytesMax + HEAD_BYTES)
      throw new GrpcError(STATUS.resourceExhausted, `its answer is larger than ${bytesMax} bytes`);
  }
  if (headers === undefined || stream.rstCode !== constants.NGHTTP2_NO_ERROR) throw closedEarly();
  assertGrpc(headers);
  // An answer without a message has its status in the headers.
  const status = trailers?.['grpc-status'] ?? headers?.['grpc-status'];
  if (status === undefined) throw new GrpcError(STATUS.unknown, 'its answer has no status');
  if (Number(status) !== STATUS.ok)
    throw new GrpcError(Number(status), messageIn(trailers?.['grpc-message'] ?? headers?.['grpc-message']));
  return messageOf(Buffer.concat(chunks));
}

const closedEarly = (): Error => Object.assign(new Error('the connection was closed'), { code: 'ERR_CLOSED' });

function assertGrpc(headers: IncomingHttpHeaders | undefined): void {
  const status = Number(headers?.[':status'] ?? 0);
  const type = headers?.['content-type'] ?? 'no content type';
  if (status !== 200) throw new GrpcError(STATUS.unknown, `it answered HTTP ${status}`);
  if (!type.startsWith('application/grpc')) throw new GrpcError(STATUS.unknown, `its answer is ${type}, not gRPC`);
}

/** The message is percent-encoded. One that is not is used as it is. */
function messageIn(header: string | string[] | undefined): string {
  const text = String(header ?? '');
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function messageOf(frame: Buffer): Uint8Array {
  const isWhole = frame.length >= HEAD_BYTES && frame[0] === 0 && frame.readUInt32BE(1) === frame.length - HEAD_BYTES;
  if (!isWhole) throw new GrpcError(STATUS.internal, 'its answer is not one uncompressed message');
  return frame.subarray(HEAD_BYTES);
}
