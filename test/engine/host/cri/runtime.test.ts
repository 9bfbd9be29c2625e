import { once } from 'node:events';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer as createHttp1Server } from 'node:http';
import { createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { createServer as createNetServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { Code, ConnectError } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Answers, type ApiVersion, type Method, runtimeService } from '../../../../engine/host/cri/messages.ts';
import { ContainerRuntime } from '../../../../engine/host/cri/runtime.ts';
import { joinErrorOf, thrownBy } from '../../../helpers/errors.ts';
import { scratch } from '../../../helpers/machine.ts';
import { importsOf, sourcesBelow } from '../../../helpers/sources.ts';

const SIGNAL = new AbortController().signal;
const version = { runtimeName: 'containerd', runtimeVersion: '1.4.3' };
const sandbox = (id: string, state = 0) => ({ id, metadata: { name: `pod-${id}`, namespace: 'default' }, state });

/** What a runtime does when it is called: a method that is left out is not implemented. */
type Behaviour = { [M in Method]?: (request: { podSandboxId: string }) => Answers[M] | Promise<Answers[M]> };

async function listening<S extends Server | Http2Server>(server: S, path: string): Promise<S> {
  await mkdir(dirname(path), { recursive: true });
  server.listen(path);
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return server;
}

/** A runtime on a socket, and what it was asked. */
async function fakeRuntime(behaviour: Partial<Record<ApiVersion, Behaviour>>, path?: string) {
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

/** A runtime that speaks v1 and answers as is said here. */
const runtimeThat = (behaviour: Behaviour) => fakeRuntime({ v1: { Version: () => version, ...behaviour } });
const refusal = (code: Code, message = 'because') => {
  throw new ConnectError(message, code);
};

/** A socket where HTTP/2 is answered by hand. */
const streaming = async (answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void) => {
  const socket = join(await scratch(), 'x.sock');
  const server = await listening(createServer(), socket);
  server.on('stream', answer);
  return socket;
};
/** One gRPC message, framed, and a status. */
const framed =
  (bytes: Buffer, length = bytes.length) =>
  (stream: ServerHttp2Stream) => {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(length, 1);
    stream.on('error', () => undefined);
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.end(Buffer.concat([head, bytes]));
  };

describe('the version of a runtime', () => {
  test('is asked for by v1 first', async () => {
    const { socket, asked } = await fakeRuntime({
      v1: { Version: () => version },
      v1alpha2: { Version: () => version },
    });
    expect(await new ContainerRuntime('/').version(socket, SIGNAL)).toEqual({
      name: 'containerd',
      version: '1.4.3',
      apiVersion: 'v1',
    });
    expect(asked).toEqual(['v1 Version']);
  });

  test('is asked for by v1alpha2 where v1 is not known, and remembered for each socket', async () => {
    const items = [sandbox('a')];
    const old = await fakeRuntime({ v1alpha2: { Version: () => version, ListPodSandbox: () => ({ items }) } });
    const young = await runtimeThat({ ListPodSandbox: () => ({ items: [] }) });
    const runtime = new ContainerRuntime('/');
    expect(await runtime.version(`unix://${old.socket}`, SIGNAL)).toMatchObject({ apiVersion: 'v1alpha2' });
    expect(await runtime.podSandboxes(old.socket, SIGNAL)).toHaveLength(1);
    expect(await runtime.podSandboxes(old.socket, SIGNAL)).toHaveLength(1);
    expect(old.asked).toEqual(['v1alpha2 Version', 'v1alpha2 ListPodSandbox', 'v1alpha2 ListPodSandbox']);
    expect(await runtime.podSandboxes(young.socket, SIGNAL)).toEqual([]);
    expect(young.asked).toEqual(['v1 Version', 'v1 ListPodSandbox']);
  });

  test('is missing where neither is known', async () => {
    const { socket } = await fakeRuntime({});
    const error = await joinErrorOf(() => new ContainerRuntime('/').podSandboxes(`unix://${socket}`, SIGNAL));
    expect(error).toMatchObject({ code: 'E_CRI_ABSENT', facts: { socket }, transient: false });
  });
});

describe('the sandboxes of a runtime', () => {
  test('have the names of their pods, and nothing that a terminal would obey', async () => {
    const items = [sandbox('a'), sandbox('b', 1), { id: 'c\u001b[2J', state: 0 }];
    const { socket } = await runtimeThat({ ListPodSandbox: () => ({ items }) });
    expect(await new ContainerRuntime('/').podSandboxes(socket, SIGNAL)).toEqual([
      { id: 'a', name: 'pod-a', namespace: 'default', state: 'ready' },
      { id: 'b', name: 'pod-b', namespace: 'default', state: 'notready' },
      { id: 'c [2J', name: '', namespace: '', state: 'ready' },
    ]);
  });

  test('are 10,000 at most', async () => {
    let count = 10_000;
    const { socket } = await runtimeThat({
      ListPodSandbox: () => ({ items: Array.from({ length: count }, (_, index) => sandbox(String(index))) }),
    });
    const runtime = new ContainerRuntime('/');
    expect(await runtime.podSandboxes(socket, SIGNAL)).toHaveLength(count);
    count += 1;
    const { code, message } = await joinErrorOf(() => runtime.podSandboxes(socket, SIGNAL));
    expect([code, message]).toEqual(['E_CRI_REFUSED', expect.stringContaining('it has 10001, more than 10000')]);
  });

  test('are stopped, then removed', async () => {
    const { socket, asked } = await runtimeThat({ StopPodSandbox: () => ({}), RemovePodSandbox: () => ({}) });
    await new ContainerRuntime('/').removePodSandbox(socket, 'a1', SIGNAL);
    expect(asked.slice(1)).toEqual(['v1 StopPodSandbox a1', 'v1 RemovePodSandbox a1']);
  });

  test('may be gone before they are stopped, or before they are removed', async () => {
    const gone = () => refusal(Code.NotFound);
    for (const behaviour of [
      { StopPodSandbox: gone, RemovePodSandbox: gone },
      { StopPodSandbox: () => ({}), RemovePodSandbox: gone },
      { StopPodSandbox: gone, RemovePodSandbox: () => ({}) },
    ]) {
      const { socket, asked } = await runtimeThat(behaviour);
      await new ContainerRuntime('/').removePodSandbox(socket, 'a1', SIGNAL);
      expect(asked).toHaveLength(3);
    }
  });

  test('are not removed unless they have stopped', async () => {
    const { socket, asked } = await runtimeThat({
      StopPodSandbox: () => refusal(Code.Unknown, 'failed to\n\u001b[31m destroy its network'),
      RemovePodSandbox: () => ({}),
    });
    const error = await joinErrorOf(() => new ContainerRuntime('/').removePodSandbox(socket, 'a1', SIGNAL));
    expect(error).toMatchObject({
      code: 'E_CRI_REFUSED',
      message: `the container runtime at ${socket} could not stop a sandbox: failed to [31m destroy its network`,
    });
    expect(asked).not.toContain('v1 RemovePodSandbox a1');
  });

  test('are not taken for removed where the runtime cannot remove any', async () => {
    const { socket } = await runtimeThat({});
    const error = await joinErrorOf(() => new ContainerRuntime('/').removePodSandbox(socket, 'a1', SIGNAL));
    expect(error.code).toBe('E_CRI_REFUSED');
  });
});

describe('the cgroup driver of a runtime', () => {
  test.each([
    [0, 'systemd'],
    [1, 'cgroupfs'],
    [7, undefined],
  ])('is what it says: %i is %s', async (cgroupDriver, driver) => {
    const { socket, asked } = await runtimeThat({ RuntimeConfig: () => ({ linux: { cgroupDriver } }) });
    expect(await new ContainerRuntime('/').cgroupDriver(socket, SIGNAL)).toBe(driver);
    expect(asked).not.toContain('v1 Status');
  });

  test.each([
    ['0a00', 'systemd'],
    ['0a020801', 'cgroupfs'],
  ])('is on the wire what the CRI says: %s is %s', async (hex, driver) => {
    const socket = await streaming((stream, { ':path': path = '' }) =>
      framed(Buffer.from(path.endsWith('/RuntimeConfig') ? hex : '', 'hex'))(stream),
    );
    expect(await new ContainerRuntime('/').cgroupDriver(socket, SIGNAL)).toBe(driver);
  });

  const runtimes = (defaultRuntimeName: string, all: object) => ({ containerd: { defaultRuntimeName, runtimes: all } });
  const options = (SystemdCgroup: unknown) => ({ options: { SystemdCgroup } });
  test.each<[string, unknown, string | undefined]>([
    ['systemd', runtimes('runc', { runc: options(true) }), 'systemd'],
    ['cgroupfs', runtimes('runc', { runc: options(false) }), 'cgroupfs'],
    ["the default runtime's", runtimes('runc', { kata: options(false), runc: options(true) }), 'systemd'],
    ['not another runtime’s', runtimes('kata', { runc: options(true), kata: { options: null } }), undefined],
    ['not the setting of old', { ...runtimes('runc', { runc: { options: {} } }), systemdCgroup: true }, undefined],
    ['not a text', runtimes('runc', { runc: options('true') }), undefined],
    ["not another program's", { sandboxImage: 'pause' }, undefined],
    ['not nothing', null, undefined],
  ])('is that of containerd’s configuration where it does not say: %s', async (_, config, driver) => {
    const info = [
      { key: 'golang', value: '"go1.15"' },
      { key: 'config', value: JSON.stringify(config) },
    ];
    const { socket } = await runtimeThat({ Status: () => ({ info }) });
    expect(await new ContainerRuntime('/').cgroupDriver(socket, SIGNAL)).toBe(driver);
  });

  test.each([[[]], [[{ key: 'config', value: '{"containerd"' }]]])('is not known from %j', async (info) => {
    const { socket } = await runtimeThat({ Status: () => ({ info }), RuntimeConfig: () => ({}) });
    expect(await new ContainerRuntime('/').cgroupDriver(socket, SIGNAL)).toBeUndefined();
  });
});

describe('a runtime', () => {
  test('is ready, or says why it is not', async () => {
    const conditions = [
      { type: 'RuntimeReady', status: true, reason: '', message: '' },
      { type: 'NetworkReady', status: false, reason: 'NetworkPluginNotReady', message: 'cni\nplugin not initialized' },
    ];
    const { socket } = await runtimeThat({ Status: () => ({ status: { conditions }, info: [] }) });
    expect(await new ContainerRuntime('/').isReady(socket, SIGNAL)).toEqual({
      runtime: { ready: true, reason: '', message: '' },
      network: { ready: false, reason: 'NetworkPluginNotReady', message: 'cni plugin not initialized' },
    });
  });

  test('tells in one answer what it is and whether it is ready, by the version of the CRI that it speaks', async () => {
    const status = (ready: boolean, reason: string, message: string) => ({
      status: { conditions: [{ type: 'RuntimeReady', status: ready, reason, message }] },
      info: [],
    });
    for (const [answer, told] of [
      [status(true, '', ''), { ready: true, message: '' }],
      [status(false, 'NoRunc', 'runc is gone'), { ready: false, message: 'runc is gone' }],
      [status(false, 'NoRunc', ''), { ready: false, message: 'NoRunc' }],
    ] as const) {
      const { socket, asked } = await fakeRuntime({
        v1alpha2: { Version: () => version, Status: () => structuredClone(answer) as Answers['Status'] },
      });
      expect(await new ContainerRuntime('/').status(socket, SIGNAL)).toEqual({
        ...{ name: 'containerd', version: '1.4.3', apiVersion: 'v1alpha2', ...told },
      });
      expect(asked).toEqual(['v1alpha2 Version', 'v1alpha2 Status']);
    }
  });

  test('is not ready where it does not say', async () => {
    const { socket } = await runtimeThat({ Status: () => ({ info: [] }) });
    const silent = { ready: false, reason: '', message: '' };
    expect(await new ContainerRuntime('/').isReady(socket, SIGNAL)).toEqual({ runtime: silent, network: silent });
  });

  test('of a machine below a root is found there, over links that mean that root', async () => {
    const root = await scratch();
    const { asked } = await fakeRuntime({ v1: { Version: () => version } }, join(root, 'run/crio/crio.sock'));
    await mkdir(join(root, 'var'));
    await symlink('/run', join(root, 'var/run'));
    const runtime = new ContainerRuntime(root);
    for (const socket of ['unix:///run/crio/crio.sock', '/run/crio/crio.sock', 'unix:///var/run/crio/crio.sock'])
      await runtime.version(socket, SIGNAL);
    expect(asked).toHaveLength(3);
    const error = await joinErrorOf(() => runtime.version('unix:///run/x.sock', SIGNAL));
    expect(error.facts).toEqual({ socket: '/run/x.sock', what: 'there is no such socket' });
  });

  test('keeps no connection of ours', async () => {
    const { socket, server } = await runtimeThat({ ListPodSandbox: () => ({ items: [] }) });
    await new ContainerRuntime('/').podSandboxes(socket, SIGNAL);
    const connections = () => new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
    await expect.poll(connections).toBe(0);
  });

  test('is loaded on the first call only', () => {
    const callers = sourcesBelow('bin', 'engine', 'phases', 'plugins').filter((file) =>
      importsOf(file).includes('engine/host/cri/call.ts'),
    );
    expect(callers.map(({ path }) => path)).toEqual(['engine/host/cri/runtime.ts']);
    expect(callers[0]?.text).not.toMatch(/^import (?!type).*\/call.ts/m);
  });
});

describe('a runtime that does not answer', () => {
  const LIMITS_MS = { answer: 150, removal: 300 };
  const never = () => new Promise<never>(() => undefined);

  test('is given up after the time limit of the call', async () => {
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

  test('just now may answer later', async () => {
    const { socket } = await runtimeThat({ ListPodSandbox: () => refusal(Code.Unavailable, 'still\nstarting') });
    expect(await joinErrorOf(() => new ContainerRuntime('/').podSandboxes(socket, SIGNAL))).toMatchObject({
      code: 'E_CRI_UNREACHABLE',
      facts: { socket, what: 'still starting' },
    });
  });

  test('even to a greeting is given up as well', async () => {
    const socket = join(await scratch(), 'x.sock');
    await listening(createNetServer(), socket);
    const error = await joinErrorOf(() => new ContainerRuntime('/', LIMITS_MS).version(socket, SIGNAL));
    expect(error).toMatchObject({
      code: 'E_CRI_UNREACHABLE',
      facts: { what: 'it did not tell its version within 0.15 s' },
    });
  });

  test('is no longer waited for once we are told to stop, for the reason given', async () => {
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

  test('is told from one that is not there', async () => {
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

  test.each([
    ['containerd/containerd.sock', 'systemctl status containerd.'],
    ['crio/crio.sock', 'systemctl status crio.'],
    ['cri-dockerd.sock', 'systemctl status cri-docker.'],
  ])('is looked for by its service: %s', async (socket, command) => {
    const { hint } = await joinErrorOf(async () =>
      new ContainerRuntime(await scratch()).version(`/run/${socket}`, SIGNAL),
    );
    expect(hint).toContain(command);
  });
});

describe('what is no answer of a runtime', () => {
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
  ])('is refused: %s', async (_, answer) => {
    const socket = await streaming(answer);
    const error = await joinErrorOf(() => new ContainerRuntime('/').version(socket, SIGNAL));
    expect(error).toMatchObject({ code: 'E_CRI_REFUSED', facts: { socket, what: 'tell its version' } });
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
  ])('is not taken for gRPC: %s', async (_, server) => {
    const socket = join(await scratch(), 'x.sock');
    await listening(server(), socket);
    const error = await joinErrorOf(() => new ContainerRuntime('/').version(socket, SIGNAL));
    expect(error).toMatchObject({ code: 'E_CRI_UNREACHABLE', facts: { socket } });
  });

  test.each([1, 2, 7, 8, 11])('nor a stream that is reset by %i', async (reset) => {
    const socket = await streaming((stream) => stream.on('error', () => undefined).close(reset));
    const error = await joinErrorOf(() => new ContainerRuntime('/').version(socket, SIGNAL));
    expect(error).toMatchObject({ code: 'E_CRI_UNREACHABLE', facts: { socket } });
  });
});
