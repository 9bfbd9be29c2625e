/** The runtime port of engine/host with a real containerd, without a kubelet. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call } from '../../engine/host/cri/call.ts';
import { type Method, messages } from '../../engine/host/cri/messages.ts';
import { ContainerRuntime } from '../../engine/host/cri/runtime.ts';
import { Mounts } from '../../engine/host/mounts.ts';
import { joinErrorOf } from '../helpers/errors.ts';
import { runtimeService } from '../helpers/runtime-service.ts';
import { launch, must } from './command.ts';
import { projectRoot } from './rig.ts';

const rig = resolve(projectRoot, '../shared/kube');
const SIGNAL = new AbortController().signal;

function missing(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'it needs root on Linux, for containers';
  if (!existsSync(join(rig, 'cri'))) return 'the rig ../shared/kube is not beside this checkout';
  const path = (process.env.PATH ?? '').split(delimiter);
  const absent = ['containerd', 'ctr', 'runc', 'gcc'].filter((tool) => !path.some((at) => existsSync(join(at, tool))));
  return absent.length > 0 ? `not on PATH: ${absent.join(', ')}` : undefined;
}

const reason = missing();
if (reason) console.warn(`the tests on a real container runtime are skipped: ${reason}`);

let dir: string;
let socket: string;
const file = (name: string): string => join(dir, name);
const ctr = (...args: string[]): Promise<string> => must(['ctr', '-a', socket, '-n', 'k8s.io', ...args]);

async function stopContainerd(): Promise<void> {
  const pid = readFileSync(file('containerd.pid'), 'utf8').trim();
  await launch(['kill', pid]).done;
  const runs = async () => /^[^Z]/.test((await launch(['ps', '-o', 'stat=', '-p', pid]).done).stdout);
  while (await runs()) await sleep(50);
}

/** Restarts containerd with a changed configuration. */
async function restartContainerd(change: (config: string) => string): Promise<void> {
  await stopContainerd();
  writeFileSync(file('config.toml'), change(readFileSync(file('config.toml'), 'utf8')));
  const script = `setsid containerd -c ${file('config.toml')} >>${file('log')} 2>&1 </dev/null & echo $! >${file('containerd.pid')}`;
  await must(['sh', '-c', script]);
  await expect
    .poll(async () => (await launch(['ctr', '-a', socket, 'version']).done).code, { timeout: 20_000 })
    .toBe(0);
}

/** A Pod on the host's network, which needs no setup. Source of the numbers: the CRI's api.proto. */
async function runSandbox(name: string): Promise<string> {
  const service = runtimeService('v1', {
    ...messages,
    RunPodSandboxRequest: { config: [1, 'PodSandboxConfig'] },
    RunPodSandboxResponse: { podSandboxId: [1, 'string'] },
    PodSandboxConfig: { metadata: [1, 'PodSandboxMetadata'], linux: [8, 'LinuxPodSandboxConfig'] },
    PodSandboxMetadata: { name: [1, 'string'], uid: [2, 'string'], namespace: [3, 'string'] },
    LinuxPodSandboxConfig: { securityContext: [2, 'LinuxSandboxSecurityContext'] },
    LinuxSandboxSecurityContext: { namespaceOptions: [1, 'NamespaceOption'] },
    NamespaceOption: { network: [1, 'int32'] },
  });
  const transport = createGrpcTransport({
    baseUrl: 'http://localhost',
    nodeOptions: { createConnection: () => connect(socket) },
    idleConnectionTimeoutMs: 100,
  });
  const client = createClient(service, transport) as unknown as {
    runPodSandbox(request: object): Promise<{ podSandboxId: string }>;
  };
  const metadata = { name, uid: `uid-${name}`, namespace: 'default' };
  const linux = { securityContext: { namespaceOptions: { network: 2 } } };
  return (await client.runPodSandbox({ config: { metadata, linux } })).podSandboxId;
}

describe.skipIf(reason)('a real containerd', () => {
  const runtime = new ContainerRuntime('/');

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'joinery-cri-'));
    socket = (await must([join(rig, 'cri'), dir, '230'])).trim();
  });

  afterAll(async () => {
    const tasks = await ctr('tasks', 'ls', '-q').catch(() => '');
    const left = tasks.split('\n').filter(Boolean); // by a test that failed
    if (left.length > 0) await ctr('tasks', 'rm', '-f', ...left);
    await stopContainerd();
    const mounts = new Mounts('/');
    for (const point of await mounts.below(dir)) await mounts.unmount(point, SIGNAL);
    rmSync(dir, { recursive: true, force: true });
  });

  test('reports the version of containerd', async () => {
    const [, , containerd = ''] = (await must(['containerd', '--version'])).split(' ');
    expect(await runtime.version(`unix://${socket}`, SIGNAL)).toEqual({
      name: 'containerd',
      version: containerd,
      apiVersion: 'v1',
    });
  });

  test('reports that containerd is ready', async () => {
    expect(await runtime.isReady(socket, SIGNAL)).toMatchObject({ runtime: { ready: true }, network: { ready: true } });
  });

  test('lists Pod sandboxes in both versions of the CRI, until they are removed', async () => {
    expect(await runtime.podSandboxes(socket, SIGNAL)).toEqual([]);
    const [a, b] = [await runSandbox('a'), await runSandbox('b')];
    const listed = await runtime.podSandboxes(socket, SIGNAL);
    expect(listed.sort((one, other) => one.name.localeCompare(other.name))).toEqual([
      { id: a, name: 'a', namespace: 'default', state: 'ready' },
      { id: b, name: 'b', namespace: 'default', state: 'ready' },
    ]);
    const older = async <M extends Method>(method: M, request = {}) =>
      call({ socket, path: socket, apiVersion: 'v1alpha2', method, request, timeLimitMs: 10_000 }, SIGNAL);
    expect((await older('ListPodSandbox')).items).toHaveLength(2);
    expect(await older('Version')).toMatchObject({ runtimeName: 'containerd' });

    await older('StopPodSandbox', { podSandboxId: a });
    expect((await runtime.podSandboxes(socket, SIGNAL)).find(({ id }) => id === a)?.state).toBe('notready');
    for (const id of [a, b, a]) await runtime.removePodSandbox(socket, id, SIGNAL);
    expect(await runtime.podSandboxes(socket, SIGNAL)).toEqual([]);
    expect(await ctr('tasks', 'ls', '-q')).toBe('');
  });

  test('reports the configured cgroup driver', async () => {
    expect(await runtime.cgroupDriver(socket, SIGNAL)).toBe('cgroupfs');
    const section = '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc';
    const runc = `${section}]\n  runtime_type = "io.containerd.runc.v2"\n${section}.options]\n  SystemdCgroup = true\n`;
    await restartContainerd((config) => config + runc);
    expect(await runtime.cgroupDriver(socket, SIGNAL)).toBe('systemd');
  });

  test('reports why the network is not ready', async () => {
    rmSync(file('cni'), { recursive: true });
    await restartContainerd((config) => config);
    const { runtime: containers, network } = await runtime.isReady(socket, SIGNAL);
    expect(containers.ready).toBe(true);
    expect(network).toMatchObject({ ready: false, reason: 'NetworkPluginNotReady' });
    expect(network.message).not.toBe('');
  });

  test("fails if containerd's CRI plugin is off", async () => {
    await restartContainerd((config) => `disabled_plugins = ["io.containerd.grpc.v1.cri"]\n${config}`);
    const error = await joinErrorOf(() => new ContainerRuntime('/').version(socket, SIGNAL));
    expect(error).toMatchObject({ code: 'E_CRI_ABSENT', facts: { socket } });
    expect((await joinErrorOf(() => runtime.podSandboxes(socket, SIGNAL))).code).toBe('E_CRI_REFUSED');
  });
});
