import { execFile } from 'node:child_process';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { ContainerRuntime } from '../../../engine/host/cri/runtime.ts';
import { type Sandbox, startSandbox } from '../../../plugins/sandbox/index.ts';
import { stopMachine } from '../../../plugins/sandbox/machine/machine.ts';
import { startRuntime } from '../../../plugins/sandbox/machine/runtime.ts';
import type { Node } from '../../../plugins/sandbox/objects.ts';
import { emptyMachine, layJoin } from './joined.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.close());

let root: string;
afterEach(async () => {
  await stopMachine(root);
  await rm(root, { recursive: true });
});

/** Runs a program of the machine; its exit code and what it printed. */
async function on(program: string, ...args: string[]): Promise<{ code: number; stdout: string }> {
  try {
    return { code: 0, stdout: (await promisify(execFile)(join(root, 'usr/bin', program), args)).stdout.trim() };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, stdout: stdout.trim() };
  }
}
const property = async (name: string) =>
  new RegExp(`^${name}=(.*)$`, 'm').exec((await on('systemctl', 'show', 'kubelet', '--property', name)).stdout)?.[1];

/** A zombie does not count. */
async function isRunning(pid = ''): Promise<boolean> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=', '-p', pid]).catch(() => ({ stdout: '' }));
  return stdout.trim() !== '' && !stdout.startsWith('Z');
}

describe('a scratch machine', () => {
  test('a scratch machine has what preflight checks, and runs nothing', async () => {
    root = await emptyMachine('Host-1');
    expect(await readFile(join(root, 'etc/hostname'), 'utf8')).toBe('Host-1\n');
    expect((await readFile(join(root, 'proc/swaps'), 'utf8')).trim().split('\n')).toHaveLength(1);
    expect((await stat(join(root, 'run/containerd/containerd.sock'))).isSocket()).toBe(true);
    expect(await on('conntrack')).toEqual({ code: 0, stdout: '' });
    expect(await on('kubelet', '--version')).toEqual({ code: 0, stdout: 'Kubernetes v1.36.2' });
    expect(await on('systemctl', 'is-active', 'kubelet')).toEqual({ code: 3, stdout: 'inactive' });
    expect(await on('journalctl', '-u', 'kubelet', '-n', '5')).toEqual({ code: 0, stdout: '' });
  });
  test('a scratch machine has a container runtime while one is started', async () => {
    root = await emptyMachine('host-1');
    const runtime = await startRuntime(root);
    const [asked, socket] = [new ContainerRuntime(root), 'unix:///run/containerd/containerd.sock'];
    const { signal } = new AbortController();
    expect(await asked.status(socket, signal)).toEqual({
      name: 'containerd',
      version: '0.0.0-stand-in',
      apiVersion: 'v1',
      ready: true,
      message: '',
    });
    expect(await asked.cgroupDriver(socket, signal)).toBe('systemd');
    expect(await asked.podSandboxes(socket, signal)).toEqual([]);
    await runtime.close();
    await expect(asked.status(socket, signal)).rejects.toMatchObject({ code: 'E_CRI_UNREACHABLE' });
  });
  test('a scratch machine shows the kubelet unit with its drop-in, and knows no other unit', async () => {
    root = await emptyMachine('host-1');
    const unit = (await on('systemctl', 'cat', 'kubelet.service')).stdout;
    expect(unit).toContain('--kubeconfig=/etc/kubernetes/kubelet.conf');
    expect(unit).toContain('EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env');
    expect((await on('systemctl', 'show', 'docker')).stdout).toContain('LoadState=not-found');
    expect((await on('systemctl', 'start', 'docker')).code).toBe(5);
    expect((await on('systemctl', 'daemon-reload')).code).toBe(0);
  });
  test('a scratch machine records whether the unit is enabled', async () => {
    root = await emptyMachine('host-1');
    expect(await on('systemctl', 'is-enabled', 'kubelet')).toEqual({ code: 0, stdout: 'enabled' });
    await on('systemctl', 'disable', 'kubelet');
    expect(await on('systemctl', 'is-enabled', 'kubelet')).toEqual({ code: 1, stdout: 'disabled' });
    expect(await property('UnitFileState')).toBe('disabled');
    await on('systemctl', 'enable', 'kubelet');
    expect(await property('UnitFileState')).toBe('enabled');
  });
  test('without the files of a join, the kubelet of a scratch machine fails, says why, and stays down', async () => {
    root = await emptyMachine('host-1');
    expect((await on('systemctl', 'start', 'kubelet')).code).toBe(0);
    await vi.waitFor(async () => expect(await property('ActiveState')).toBe('failed'), 5000);
    expect((await on('journalctl', '-u', 'kubelet', '-n', '1')).stdout).toMatch(
      /^F\d{4} [\d:.]{15} +\d+ server\.go:\d+\] failed to run Kubelet: open \/var\/lib\/kubelet\/config\.yaml/,
    );
    expect(await readFile(join(root, 'run/kubelet.exit'), 'utf8')).toBe('255\n');
  });
  test('with the files of a join, the kubelet of a scratch machine registers, restarts and stops', async () => {
    root = await emptyMachine('worker-1');
    await layJoin(sandbox, root, 'worker-1');
    const isReady = () => sandbox.store.get<Node>('nodes', 'worker-1')?.status?.conditions?.[0]?.status === 'True';
    await on('systemctl', 'start', 'kubelet');
    await vi.waitFor(() => expect(isReady()).toBe(true), 8000);
    const pid = await property('MainPID');
    expect((await on('systemctl', 'show', 'kubelet')).stdout).toContain('SubState=running');
    await on('systemctl', 'restart', 'kubelet');
    expect(await property('MainPID')).not.toBe(pid);
    await on('systemctl', 'stop', 'kubelet');
    expect(await property('ActiveState')).toBe('inactive');
    expect(await isRunning(pid)).toBe(false);
  });
});

test('a scratch machine has the programs of every machine, also in /bin', async () => {
  root = await emptyMachine('host-1');
  const sleep = promisify(execFile)(join(root, 'bin/sleep'), ['0.3']);
  const begunAtMs = performance.now();
  await sleep;
  expect(performance.now() - begunAtMs).toBeGreaterThan(250);
  expect(await on('true')).toEqual({ code: 0, stdout: '' });
});
