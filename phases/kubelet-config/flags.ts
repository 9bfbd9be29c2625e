/** `/var/lib/kubelet/kubeadm-flags.env`. Source: kubeadm, phases/kubelet/flags. */
import { minorOf, socketPath } from '../../engine/sdk/index.ts';

/** `--container-runtime` is gone from kubelets of 1.24 on, which also want the socket as a URL. */
const REMOTE_ONLY_SINCE_MINOR = 24;

export interface Machine {
  criSocket: string;
  nodeName: string;
  hostName: string;
  kubeletVersion: string;
}

export function kubeadmFlags({ criSocket, nodeName, hostName, kubeletVersion }: Machine): string {
  const remoteOnly = minorOf(kubeletVersion) >= REMOTE_ONLY_SINCE_MINOR;
  const flags: Record<string, string> = {
    ...(remoteOnly ? {} : { 'container-runtime': 'remote' }),
    'container-runtime-endpoint': remoteOnly ? `unix://${socketPath(criSocket)}` : criSocket,
    ...(nodeName === hostName ? {} : { 'hostname-override': nodeName }),
  };
  const text = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  return `KUBELET_KUBEADM_ARGS=${JSON.stringify(text.join(' '))}\n`; // JSON quotes as Go's %q does, for printable ASCII
}
