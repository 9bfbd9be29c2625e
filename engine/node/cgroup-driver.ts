/** Kubelet and container runtime must name cgroups alike, or Pods are killed at random under load. */

import { fail, isJoinError } from '../sdk/errors.ts';
import type { CgroupDriver, Files, Log, Runtime } from '../sdk/ports.ts';
import { findCriSocket, socketPath } from './cri.ts';
import { minorOf } from './kubelet.ts';

const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';
const CONTAINERD_CONFIG = '/etc/containerd/config.toml';
/** Such a kubelet asks the runtime, and goes by what it says. Source: KEP-4033. */
const ASKS_RUNTIME_SINCE_MINOR = 31;

/** E_CGROUP_DRIVER where that of the runtime is known and is not `wanted`, which is what the kubelet is told. */
export async function assertCgroupDriver(
  { files, runtime, log }: { files: Files; runtime: Runtime; log: Log },
  wanted: CgroupDriver,
  { criSocket, kubeletVersion }: { criSocket: string | undefined; kubeletVersion: Promise<string> },
): Promise<void> {
  const socket = await findCriSocket(files, criSocket);
  const told = (await fromRuntime(runtime, socket)) ?? (await fromContainerdConfig(files, socketPath(socket)));
  if (told === undefined)
    log.info(`the cgroup driver of ${socketPath(socket)} could not be read; the kubelet uses ${wanted}`);
  else if (told !== wanted) {
    const minor = await kubeletVersion.then(minorOf, () => 0); // what it is, is another check's business
    if (minor < ASKS_RUNTIME_SINCE_MINOR)
      throw fail('E_CGROUP_DRIVER', { kubelet: wanted, runtime: told, socket: socketPath(socket) });
    log.warn(`the container runtime uses the cgroup driver ${told}, and the kubelet will do so too, not ${wanted}`);
  }
}

async function fromRuntime(runtime: Runtime, socket: string): Promise<CgroupDriver | undefined> {
  try {
    return await runtime.cgroupDriver(socket);
  } catch (error) {
    if (isJoinError(error) && error.code.startsWith('E_CRI_')) return undefined; // preflight has said so
    throw error;
  }
}

async function fromContainerdConfig(files: Files, socket: string): Promise<CgroupDriver | undefined> {
  if (socket !== CONTAINERD_SOCKET && socket !== `/var${CONTAINERD_SOCKET}`) return undefined;
  const config = (await files.read(CONTAINERD_CONFIG))?.toString('utf8');
  if (config === undefined) return undefined;
  return /^\s*SystemdCgroup\s*=\s*true/m.test(config) ? 'systemd' : 'cgroupfs';
}
