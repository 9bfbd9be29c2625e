/** `/var/lib/kubelet/kubeadm-flags.env`. Source: kubeadm, phases/kubelet/flags. */
import { type Commands, clean, fail, socketPath } from '../../engine/sdk/index.ts';

/** `--container-runtime` is gone from kubelets of 1.24 on, which also want the socket as a URL. */
const REMOTE_ONLY_SINCE_MINOR = 24;

export async function kubeadmFlags(
  commands: Commands,
  { criSocket, nodeName, hostName }: { criSocket: string; nodeName: string; hostName: string },
): Promise<string> {
  const remoteOnly = (await kubeletMinor(commands)) >= REMOTE_ONLY_SINCE_MINOR;
  const flags: Record<string, string> = {
    ...(remoteOnly ? {} : { 'container-runtime': 'remote' }),
    'container-runtime-endpoint': remoteOnly ? `unix://${socketPath(criSocket)}` : criSocket,
    ...(nodeName === hostName ? {} : { 'hostname-override': nodeName }),
  };
  const text = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  return `KUBELET_KUBEADM_ARGS=${JSON.stringify(text.join(' '))}\n`; // JSON quotes as Go's %q does, for printable ASCII
}

async function kubeletMinor(commands: Commands): Promise<number> {
  if ((await commands.find('kubelet')) === undefined)
    throw fail('E_SERVICE_MISSING', { service: 'kubelet', manager: 'PATH' });
  const { stdout } = await commands.query(['kubelet', '--version']);
  const minor = /^\s*Kubernetes v1\.(\d+)\./.exec(stdout)?.[1];
  if (minor === undefined)
    throw fail('E_COMMAND_FAILED', { command: 'kubelet --version', exitCode: 0, output: clean(stdout) });
  return Number(minor);
}
