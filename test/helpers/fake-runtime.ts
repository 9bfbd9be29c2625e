/** Container runtimes on sockets, for tests: one that speaks the CRI, and servers that only answer by hand. */
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Server } from 'node:net';
import { dirname, join } from 'node:path';
import { type Code, ConnectError } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { onTestFinished } from 'vitest';
import type { Answers, ApiVersion, Method } from '../../engine/host/cri/messages.ts';
import { scratch } from './machine.ts';
import { runtimeService } from './runtime-service.ts';

export const SIGNAL = new AbortController().signal;
export const version = { runtimeName: 'containerd', runtimeVersion: '1.4.3' };
export const sandbox = (id: string, state = 0) => ({
  id,
  metadata: { name: `pod-${id}`, namespace: 'default' },
  state,
});

/** The methods of a runtime. A missing method is not implemented. */
export type Behaviour = { [M in Method]?: (request: { podSandboxId: string }) => Answers[M] | Promise<Answers[M]> };

export async function listening<S extends Server | Http2Server>(server: S, path: string): Promise<S> {
  await mkdir(dirname(path), { recursive: true });
  server.listen(path);
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return server;
}

/** A runtime on a socket, and what it was asked. */
export async function fakeRuntime(behaviour: Partial<Record<ApiVersion, Behaviour>>, path?: string) {
  const asked: string[] = [];
  const socket = path ?? join(await scratch(), 'x.sock');
  const handler = connectNodeAdapter({
    routes: (router) => {
      for (const apiVersion of ['v1', 'v1alpha2'] as const) {
        const methods = Object.entries(behaviour[apiVersion] ?? {}).map(([name, answer]) => [
          name.replace(/^./, (letter) => letter.toLowerCase()),
          (request: { podSandboxId: string }) => {
            asked.push([apiVersion, name, request.podSandboxId].filter(Boolean).join(' '));
            return answer(request);
          },
        ]);
        router.service(runtimeService(apiVersion), Object.fromEntries(methods) as never);
      }
    },
  });
  const server = await listening(createServer(handler), socket);
  return { socket, asked, server };
}

/** A runtime that speaks v1 and gives these answers. */
export const runtimeThat = (behaviour: Behaviour) => fakeRuntime({ v1: { Version: () => version, ...behaviour } });
export const refusal = (code: Code, message = 'because') => {
  throw new ConnectError(message, code);
};

/** A socket where HTTP/2 is answered by hand. */
export const streaming = async (answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void) => {
  const socket = join(await scratch(), 'x.sock');
  const server = await listening(createServer(), socket);
  server.on('stream', answer);
  return socket;
};
/** One gRPC message, framed, and a status. */
export const framed =
  (bytes: Buffer, length = bytes.length) =>
  (stream: ServerHttp2Stream) => {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(length, 1);
    stream.on('error', () => undefined);
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.end(Buffer.concat([head, bytes]));
  };
