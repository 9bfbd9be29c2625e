/** The kubelet and the container runtime must use the same cgroup driver, or Pods are killed at random under load. */

import { fail, isJoinError } from '../sdk/errors.ts';
import type { CgroupDriver, Files, Log, Runtime } from '../sdk/ports.ts';
import { findCriSocket, socketPath } from './cri.ts';
import { holds } from './release-facts.ts';

const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';
const CONTAINERD_CONFIG = '/etc/containerd/config.toml';

/** The driver that the kubelet is configured with if the cluster's configuration has none. */
export const defaultCgroupDriver = (kubeletVersion: string | undefined): CgroupDriver =>
  holds('systemdDriver', kubeletVersion) ? 'systemd' : 'cgroupfs';

/** Throws E_CGROUP_DRIVER if the runtime's driver is known and differs from the kubelet's, which came from `origin`. */
export async function assertCgroupDriver(
  { files, runtime, log }: { files: Files; runtime: Runtime; log: Log },
  { driver: configured, origin }: { driver: CgroupDriver; origin: string },
  { criSocket, kubeletVersion }: { criSocket: string | undefined; kubeletVersion: Promise<string> },
): Promise<void> {
  const socket = await findCriSocket({ files, runtime }, criSocket);
  const reported = (await fromRuntime(runtime, socket)) ?? (await fromContainerdConfig(files, socketPath(socket)));
  if (reported === undefined)
    log.info(`the cgroup driver of ${socketPath(socket)} could not be read; the kubelet uses ${configured}`);
  else if (reported !== configured) {
    const version = await kubeletVersion.catch(() => undefined); // another check reports a missing version
    if (!holds('runtimeReportsDriver', version))
      throw fail('E_CGROUP_DRIVER', { kubelet: configured, origin, runtime: reported, socket: socketPath(socket) });
    log.warn(
      `the container runtime uses the cgroup driver ${reported}, and the kubelet will do so too, not ${configured}`,
    );
  }
}

async function fromRuntime(runtime: Runtime, socket: string): Promise<CgroupDriver | undefined> {
  try {
    return await runtime.cgroupDriver(socket);
  } catch (error) {
    if (isJoinError(error) && error.code.startsWith('E_CRI_')) return undefined; // preflight reports it
    throw error;
  }
}

async function fromContainerdConfig(files: Files, socket: string): Promise<CgroupDriver | undefined> {
  if (socket !== CONTAINERD_SOCKET && socket !== `/var${CONTAINERD_SOCKET}`) return undefined;
  const config = (await files.read(CONTAINERD_CONFIG))?.toString('utf8');
  if (config === undefined) return undefined;
  return /^\s*SystemdCgroup\s*=\s*true/m.test(config) ? 'systemd' : 'cgroupfs';
}
