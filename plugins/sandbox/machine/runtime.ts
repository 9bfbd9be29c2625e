/**
 * The stand-in container runtime of a scratch machine. It answers over the CRI (v1), is always ready and runs nothing.
 */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { join } from 'node:path';

export const RUNTIME_SOCKET = '/run/containerd/containerd.sock';

const UNIMPLEMENTED = 12;
const DRIVERS = ['systemd', 'cgroupfs'] as const;

export interface RuntimeOptions {
  name?: string;
  cgroupDriver?: (typeof DRIVERS)[number];
  /** gRPC status with which every call fails. */
  refusesWith?: number;
}

/** Encodes one field of a message: a string or message shorter than 128 bytes, or a small number. */
function field(number: number, value: string | Buffer | number): Buffer {
  if (typeof value === 'number') return Buffer.from([number << 3, value]);
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}
const condition = (type: string): Buffer => field(1, Buffer.concat([field(1, type), field(2, 1)]));

/** Source of the numbers: the CRI's api.proto. */
const answersOf = ({ name = 'containerd', cgroupDriver = 'systemd' }: RuntimeOptions): Record<string, Buffer> => ({
  Version: Buffer.concat([field(2, name), field(3, '0.0.0-stand-in')]),
  Status: field(1, Buffer.concat([condition('RuntimeReady'), condition('NetworkReady')])),
  RuntimeConfig: field(1, field(1, DRIVERS.indexOf(cgroupDriver))),
  ListPodSandbox: Buffer.alloc(0),
});

/** Listens on the machine's containerd socket until it is closed. Rejects if the path is too long for a socket. */
export async function startRuntime(root: string, options: RuntimeOptions = {}): Promise<{ close(): Promise<void> }> {
  const answers = answersOf(options);
  const path = join(root, RUNTIME_SOCKET);
  await rm(path, { force: true }); // a socket without a listener
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined).on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, { ':path': called = '' }) =>
    answer(stream, answers[called.replace('/runtime.v1.RuntimeService/', '')], options.refusesWith),
  );
  server.listen(path);
  await once(server, 'listening');
  return {
    async close() {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Sends one gRPC message with its length, and the status in the trailers. */
function answer(stream: ServerHttp2Stream, message: Buffer | undefined, refusesWith = 0): void {
  const status = message === undefined ? UNIMPLEMENTED : refusesWith;
  stream.on('error', () => undefined);
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }));
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message?.length ?? 0, 1);
  stream.end(message === undefined || status !== 0 ? undefined : Buffer.concat([head, message]));
}
