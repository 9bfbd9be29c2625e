/** Kubelet and container runtime must name cgroups alike, or Pods are killed at random under load. */
import { type Commands, type Files, fail, type Log, socketPath } from '../../engine/sdk/index.ts';

const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';
const CONTAINERD_CONFIG = '/etc/containerd/config.toml';

/** E_CGROUP_DRIVER where both are known and differ. */
export async function assertCgroupDriver(
  ports: { files: Files; commands: Commands; log: Log },
  criSocket: string,
  kubelet: string,
): Promise<void> {
  const socket = socketPath(criSocket);
  const runtime = (await fromCrictl(ports.commands, socket)) ?? (await fromContainerdConfig(ports.files, socket));
  if (runtime === undefined)
    ports.log.info(`the cgroup driver of ${socket} could not be read; the kubelet uses ${kubelet}`);
  else if (runtime !== kubelet) throw fail('E_CGROUP_DRIVER', { kubelet, runtime, socket });
}

const driver = (systemd: boolean): string => (systemd ? 'systemd' : 'cgroupfs');

/** What the runtime itself says, where crictl is there to ask it. */
async function fromCrictl(commands: Commands, socket: string): Promise<string | undefined> {
  if ((await commands.find('crictl')) === undefined) return undefined;
  const { exitCode, stdout } = await commands.query(['crictl', '--runtime-endpoint', `unix://${socket}`, 'info']);
  const said = exitCode === 0 ? /"SystemdCgroup":\s*(true|false)/i.exec(stdout)?.[1] : undefined;
  return said === undefined ? undefined : driver(said === 'true');
}

async function fromContainerdConfig(files: Files, socket: string): Promise<string | undefined> {
  if (socket !== CONTAINERD_SOCKET && socket !== `/var${CONTAINERD_SOCKET}`) return undefined;
  const config = (await files.read(CONTAINERD_CONFIG))?.toString('utf8');
  return config === undefined ? undefined : driver(/^\s*SystemdCgroup\s*=\s*true/m.test(config));
}
