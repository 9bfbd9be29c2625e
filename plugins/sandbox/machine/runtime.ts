/**
 * The stand-in container runtime of a scratch machine. It answers over the CRI (v1), is always ready and runs nothing.
 */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { RunnablePod } from './pod-manifest.ts';

export const RUNTIME_SOCKET = '/run/containerd/containerd.sock';

const UNIMPLEMENTED = 12;
const DRIVERS = ['systemd', 'cgroupfs'] as const;

/** A Pod of the runtime. */
export interface ListedPod {
  id: string;
  name: string;
  namespace: string;
}

/** What runs the containers of Pods. */
export interface PodRunner {
  readonly list: readonly ListedPod[];
  /** Rejects with the reason for which it does not run. */
  run(pod: RunnablePod): Promise<void>;
  remove(id: string): Promise<void>;
}

export interface RuntimeOptions {
  name?: string;
  cgroupDriver?: (typeof DRIVERS)[number];
  /** gRPC status with which every call fails. */
  refusesWith?: number;
  /** Default: no Pod can run. */
  pods?: PodRunner;
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
  server.on('stream', (stream, { ':path': called = '' }) => {
    const call = called.replace(/^\/[\w.]+\//, '');
    if (options.pods !== undefined && POD_CALLS.includes(call)) void answerPods(stream, call, options.pods);
    else answer(stream, answers[call], options.refusesWith);
  });
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

const POD_CALLS = ['ListPodSandbox', 'StopPodSandbox', 'RemovePodSandbox', 'run', 'stop'];
const HEAD_BYTES = 5;

/** `run` and `stop` come from the stand-in kubelet: see runtime-call.ts. */
async function answerPods(stream: ServerHttp2Stream, call: string, pods: PodRunner): Promise<void> {
  stream.on('error', () => undefined);
  if (call === 'ListPodSandbox') return answer(stream, Buffer.concat(pods.list.map(listed)));
  const body = await buffer(stream).catch(() => undefined);
  if (body === undefined || stream.aborted) return; // the client was killed meanwhile
  if (call === 'run' || call === 'stop') {
    const pod = JSON.parse(body.toString()) as RunnablePod;
    const running = pods.list.find(({ name, namespace }) => name === pod.name && namespace === pod.namespace);
    const done = call === 'run' ? pods.run(pod) : pods.remove(running?.id ?? '');
    const reason = await done.then(
      () => '',
      (error: Error) => error.message,
    );
    if (stream.destroyed) return; // the kubelet was killed meanwhile
    stream.respond({ ':status': 200 });
    stream.end(reason);
    return;
  }
  const id = body.subarray(HEAD_BYTES + 2).toString(); // its only field, a string
  if (call === 'RemovePodSandbox') await pods.remove(id);
  if (!stream.destroyed) answer(stream, Buffer.alloc(0));
}

/** State 0, which is ready, is not encoded. */
const listed = ({ id, name, namespace }: ListedPod): Buffer =>
  field(1, Buffer.concat([field(1, id), field(2, Buffer.concat([field(1, name), field(3, namespace)]))]));

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
