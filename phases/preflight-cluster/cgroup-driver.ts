/** Kubelet and container runtime must name cgroups alike, or Pods are killed at random under load. */
import {
  type CgroupDriver,
  criSocketOf,
  type Files,
  fail,
  isJoinError,
  type Log,
  minorOf,
  type Runtime,
  socketPath,
} from '../../engine/sdk/index.ts';

const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';
const CONTAINERD_CONFIG = '/etc/containerd/config.toml';
/** kubeadm's default; before, the kubelet's own holds. */
const SYSTEMD_SINCE_MINOR = 22;
/** Such a kubelet asks the runtime, and goes by what it says. Source: KEP-4033. */
const ASKS_RUNTIME_SINCE_MINOR = 31;

export interface Wanted {
  criSocket: string | undefined;
  /** What the cluster tells its kubelets; left out: the default of its version. */
  cgroupDriver: CgroupDriver | undefined;
  clusterVersion: string;
  kubeletVersion: Promise<string>;
}

/** E_CGROUP_DRIVER where both are known and differ. */
export async function assertCgroupDriver(
  { files, runtime, log }: { files: Files; runtime: Runtime; log: Log },
  wanted: Wanted,
): Promise<void> {
  const kubelet =
    wanted.cgroupDriver ?? (minorOf(wanted.clusterVersion) >= SYSTEMD_SINCE_MINOR ? 'systemd' : 'cgroupfs');
  const socket = await criSocketOf(files, wanted.criSocket);
  const told = (await fromRuntime(runtime, socket)) ?? (await fromContainerdConfig(files, socketPath(socket)));
  if (told === undefined)
    log.info(`the cgroup driver of ${socketPath(socket)} could not be read; the kubelet uses ${kubelet}`);
  else if (told !== kubelet) {
    const minor = await wanted.kubeletVersion.then(minorOf, () => 0); // what it is, is another check's business
    if (minor < ASKS_RUNTIME_SINCE_MINOR)
      throw fail('E_CGROUP_DRIVER', { kubelet, runtime: told, socket: socketPath(socket) });
    log.warn(`the container runtime uses the cgroup driver ${told}, and the kubelet will do so too, not ${kubelet}`);
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
