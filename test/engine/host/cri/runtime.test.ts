import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Code } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import type { Answers } from '../../../../engine/host/cri/messages.ts';
import { ContainerRuntime } from '../../../../engine/host/cri/runtime.ts';
import { joinErrorOf } from '../../../helpers/errors.ts';
import {
  fakeRuntime,
  framed,
  refusal,
  runtimeThat,
  SIGNAL,
  sandbox,
  streaming,
  version,
} from '../../../helpers/fake-runtime.ts';
import { scratch } from '../../../helpers/machine.ts';
import { importsOf, sourcesBelow } from '../../../helpers/sources.ts';

describe('the version of a runtime', () => {
  test('the version is read by CRI v1 first', async () => {
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

  test('the version is read by v1alpha2 if v1 is unknown, and remembered for each socket', async () => {
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

  test('a socket that knows no version of the CRI is an error', async () => {
    const { socket } = await fakeRuntime({});
    const error = await joinErrorOf(() => new ContainerRuntime('/').podSandboxes(`unix://${socket}`, SIGNAL));
    expect(error).toMatchObject({ code: 'E_CRI_ABSENT', facts: { socket }, transient: false });
  });
});

describe('the sandboxes of a runtime', () => {
  test('sandboxes have the names of their Pods, without control characters', async () => {
    const items = [sandbox('a'), sandbox('b', 1), { id: 'c\u001b[2J', state: 0 }];
    const { socket } = await runtimeThat({ ListPodSandbox: () => ({ items }) });
    expect(await new ContainerRuntime('/').podSandboxes(socket, SIGNAL)).toEqual([
      { id: 'a', name: 'pod-a', namespace: 'default', state: 'ready' },
      { id: 'b', name: 'pod-b', namespace: 'default', state: 'notready' },
      { id: 'c [2J', name: '', namespace: '', state: 'ready' },
    ]);
  });

  test('more than 10,000 sandboxes are refused', async () => {
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

  test('a sandbox is stopped, then removed', async () => {
    const { socket, asked } = await runtimeThat({ StopPodSandbox: () => ({}), RemovePodSandbox: () => ({}) });
    await new ContainerRuntime('/').removePodSandbox(socket, 'a1', SIGNAL);
    expect(asked.slice(1)).toEqual(['v1 StopPodSandbox a1', 'v1 RemovePodSandbox a1']);
  });

  test('a sandbox may be gone before it is stopped or removed', async () => {
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

  test('a sandbox is not removed unless it has stopped', async () => {
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

  test('a runtime that cannot remove sandboxes is an error', async () => {
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
  ])('the cgroup driver is the one that the runtime reports: %i is %s', async (cgroupDriver, driver) => {
    const { socket, asked } = await runtimeThat({ RuntimeConfig: () => ({ linux: { cgroupDriver } }) });
    expect(await new ContainerRuntime('/').cgroupDriver(socket, SIGNAL)).toBe(driver);
    expect(asked).not.toContain('v1 Status');
  });

  test.each([
    ['0a00', 'systemd'],
    ['0a020801', 'cgroupfs'],
  ])('the cgroup driver is decoded as the CRI defines it: %s is %s', async (hex, driver) => {
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
  ])(
    'the cgroup driver comes from containerd’s configuration if the runtime does not report it: %s',
    async (_, config, driver) => {
      const info = [
        { key: 'golang', value: '"go1.15"' },
        { key: 'config', value: JSON.stringify(config) },
      ];
      const { socket } = await runtimeThat({ Status: () => ({ info }) });
      expect(await new ContainerRuntime('/').cgroupDriver(socket, SIGNAL)).toBe(driver);
    },
  );

  test.each([[[]], [[{ key: 'config', value: '{"containerd"' }]]])('no cgroup driver is read from %j', async (info) => {
    const { socket } = await runtimeThat({ Status: () => ({ info }), RuntimeConfig: () => ({}) });
    expect(await new ContainerRuntime('/').cgroupDriver(socket, SIGNAL)).toBeUndefined();
  });
});

describe('a runtime', () => {
  test('a runtime is ready, or reports why it is not', async () => {
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

  test('the status holds name, version and readiness, by the version of the CRI that the runtime speaks', async () => {
    const status = (ready: boolean, reason: string, message: string) => ({
      status: { conditions: [{ type: 'RuntimeReady', status: ready, reason, message }] },
      info: [],
    });
    for (const [answer, readiness] of [
      [status(true, '', ''), { ready: true, message: '' }],
      [status(false, 'NoRunc', 'runc is gone'), { ready: false, message: 'runc is gone' }],
      [status(false, 'NoRunc', ''), { ready: false, message: 'NoRunc' }],
    ] as const) {
      const { socket, asked } = await fakeRuntime({
        v1alpha2: { Version: () => version, Status: () => structuredClone(answer) as Answers['Status'] },
      });
      expect(await new ContainerRuntime('/').status(socket, SIGNAL)).toEqual({
        name: 'containerd',
        version: '1.4.3',
        apiVersion: 'v1alpha2',
        ...readiness,
      });
      expect(asked).toEqual(['v1alpha2 Version', 'v1alpha2 Status']);
    }
  });

  test('a runtime that does not report readiness is not ready', async () => {
    const { socket } = await runtimeThat({ Status: () => ({ info: [] }) });
    const silent = { ready: false, reason: '', message: '' };
    expect(await new ContainerRuntime('/').isReady(socket, SIGNAL)).toEqual({ runtime: silent, network: silent });
  });

  test('the runtime of a machine below a root is found there, over links inside that root', async () => {
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

  test('no connection to the runtime stays open', async () => {
    const { socket, server } = await runtimeThat({ ListPodSandbox: () => ({ items: [] }) });
    await new ContainerRuntime('/').podSandboxes(socket, SIGNAL);
    const connections = () => new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
    await expect.poll(connections).toBe(0);
  });

  test('gRPC is loaded on the first call only', () => {
    const callers = sourcesBelow('bin', 'engine', 'phases', 'plugins').filter((file) =>
      importsOf(file).includes('engine/host/cri/call.ts'),
    );
    expect(callers.map(({ path }) => path)).toEqual(['engine/host/cri/runtime.ts']);
    expect(callers[0]?.text).not.toMatch(/^import (?!type).*\/call.ts/m);
  });
});
