import { mkdir, rename, writeFile } from 'node:fs/promises';
import { createServer as createHttp1Server } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import { createServer as createNetServer } from 'node:net';
import { join } from 'node:path';
import { Code } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { ContainerRuntime } from '../../../../engine/host/cri/runtime.ts';
import { joinErrorOf, thrownBy } from '../../../helpers/errors.ts';
import { framed, listening, refusal, runtimeThat, SIGNAL, sandbox, streaming } from '../../../helpers/fake-runtime.ts';
import { scratch } from '../../../helpers/machine.ts';

describe('a runtime that does not answer', () => {
  const LIMITS_MS = { answer: 150, removal: 300 };
  const never = () => new Promise<never>(() => undefined);

  test('a call without an answer ends after its time limit', async () => {
    // The first call loads gRPC, which can take longer than the limits here.
    await new ContainerRuntime('/').version((await runtimeThat({})).socket, SIGNAL);
    const { socket } = await runtimeThat({ ListPodSandbox: never, StopPodSandbox: never });
    const runtime = new ContainerRuntime('/', LIMITS_MS);
    expect(await joinErrorOf(() => runtime.podSandboxes(socket, SIGNAL))).toMatchObject({
      code: 'E_CRI_UNREACHABLE',
      transient: true,
      facts: { socket, what: 'it did not list its sandboxes within 0.15 s' },
    });
    expect((await joinErrorOf(() => runtime.removePodSandbox(socket, 'a1', SIGNAL))).facts).toEqual({
      socket,
      what: 'it did not stop a sandbox within 0.3 s',
    });
  });

  test('a runtime that is starting is a transient error', async () => {
    const { socket } = await runtimeThat({ ListPodSandbox: () => refusal(Code.Unavailable, 'still\nstarting') });
    expect(await joinErrorOf(() => new ContainerRuntime('/').podSandboxes(socket, SIGNAL))).toMatchObject({
      code: 'E_CRI_UNREACHABLE',
      facts: { socket, what: 'still starting' },
    });
  });

  test('a runtime that accepts and says nothing ends after the time limit', async () => {
    const socket = join(await scratch(), 'x.sock');
    await listening(createNetServer(), socket);
    const error = await joinErrorOf(() => new ContainerRuntime('/', LIMITS_MS).version(socket, SIGNAL));
    expect(error).toMatchObject({
      code: 'E_CRI_UNREACHABLE',
      facts: { what: 'it did not report its version within 0.15 s' },
    });
  });

  test('a runtime that was silent is not asked again at once', async () => {
    const socket = join(await scratch(), 'x.sock');
    await listening(createNetServer(), socket);
    const runtime = new ContainerRuntime('/', LIMITS_MS);
    const first = await joinErrorOf(() => runtime.status(socket, SIGNAL));
    const begun = performance.now();
    for (const ask of [() => runtime.status(socket, SIGNAL), () => runtime.hasRuntimeConfig(socket, SIGNAL)])
      expect((await joinErrorOf(ask)).facts).toEqual(first.facts);
    expect(performance.now() - begun).toBeLessThan(LIMITS_MS.answer);
  });

  test('a call ends when it is aborted, with the same reason', async () => {
    const { socket, asked } = await runtimeThat({ ListPodSandbox: never });
    const stop = new AbortController();
    const ended = thrownBy(() => new ContainerRuntime('/').podSandboxes(socket, stop.signal));
    await expect.poll(() => asked).toContain('v1 ListPodSandbox');
    const reason = new Error('enough');
    stop.abort(reason);
    expect(await ended).toBe(reason);
    for (const path of [socket, `${socket}.gone`])
      expect(await thrownBy(() => new ContainerRuntime('/').podSandboxes(path, stop.signal))).toBe(reason);
  });

  test('a silent runtime and a missing one are different errors', async () => {
    const folder = await scratch();
    await writeFile(join(folder, 'file'), '');
    const runtime = new ContainerRuntime('/');
    const what = async (name: string) => (await joinErrorOf(() => runtime.version(join(folder, name), SIGNAL))).facts;
    expect(await what('none')).toMatchObject({ what: 'there is no such socket' });
    expect(await what('file')).toMatchObject({ what: 'nothing listens there' });
    expect(await what('x'.repeat(100))).toMatchObject({
      what: expect.stringContaining('is longer than the 107 bytes'),
    });
  });

  test('a socket in a directory with a long name is reached, because the directory is opened', async () => {
    const { socket } = await runtimeThat({});
    const folder = join(await scratch(), 'x'.repeat(100), 'y'.repeat(100));
    await mkdir(folder, { recursive: true });
    await rename(socket, join(folder, 'x.sock'));
    expect(await new ContainerRuntime('/').version(join(folder, 'x.sock'), SIGNAL)).toMatchObject({ apiVersion: 'v1' });
  });

  test.each([
    ['containerd/containerd.sock', 'systemctl status containerd.'],
    ['crio/crio.sock', 'systemctl status crio.'],
    ['cri-dockerd.sock', 'systemctl status cri-docker.'],
  ])('the hint names the service of the runtime: %s', async (socket, command) => {
    const { hint } = await joinErrorOf(async () =>
      new ContainerRuntime(await scratch()).version(`/run/${socket}`, SIGNAL),
    );
    expect(hint).toContain(command);
  });
});

describe('an answer that does not come from a runtime', () => {
  test.each([
    ['no message of the CRI', framed(Buffer.from('ffffffffff', 'hex'))],
    ['a message of more than 16 MiB', framed(Buffer.alloc(0), (16 << 20) + 1)],
    ['half a message', framed(Buffer.from('1203', 'hex'))],
    [
      'no status',
      (stream: ServerHttp2Stream) =>
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { endStream: true }),
    ],
    [
      'a web page',
      (stream: ServerHttp2Stream) => {
        stream.respond({ ':status': 200, 'content-type': 'text/html' });
        stream.end('<p>');
      },
    ],
    ['an error of HTTP', (stream: ServerHttp2Stream) => stream.respond({ ':status': 500 }, { endStream: true })],
  ])('an answer that is not from a runtime is refused: %s', async (_, answer) => {
    const socket = await streaming(answer);
    const error = await joinErrorOf(() => new ContainerRuntime('/').version(socket, SIGNAL));
    expect(error).toMatchObject({ code: 'E_CRI_REFUSED', facts: { socket, what: 'report its version' } });
  });

  test('a sandbox list just within 16 MiB is read', async () => {
    const items = [{ ...sandbox('a'), metadata: { name: 'x'.repeat((16 << 20) - 100), namespace: 'y' } }];
    const { socket } = await runtimeThat({ ListPodSandbox: () => ({ items }) });
    const [read] = await new ContainerRuntime('/').podSandboxes(socket, SIGNAL);
    expect(read?.name).toHaveLength(500);
  });

  test.each([
    ['HTTP/1, as Docker speaks it', () => createHttp1Server((_, response) => response.end('{}'))],
    [
      'noise',
      () => createNetServer((connection) => connection.on('error', () => undefined).end(Buffer.alloc(999, 0xa5))),
    ],
    ['a closed door', () => createNetServer((connection) => connection.on('error', () => undefined).destroy())],
  ])('a server that does not speak gRPC is an error: %s', async (_, server) => {
    const socket = join(await scratch(), 'x.sock');
    await listening(server(), socket);
    const error = await joinErrorOf(() => new ContainerRuntime('/').version(socket, SIGNAL));
    expect(error).toMatchObject({ code: 'E_CRI_UNREACHABLE', facts: { socket } });
  });

  test.each([1, 2, 7, 8, 11])('a stream that is reset by %i is an error', async (reset) => {
    const socket = await streaming((stream) => stream.on('error', () => undefined).close(reset));
    const error = await joinErrorOf(() => new ContainerRuntime('/').version(socket, SIGNAL));
    expect(error).toMatchObject({ code: 'E_CRI_UNREACHABLE', facts: { socket } });
  });
});
