/** Which container runtime a machine has. Source: kubeadm's list of known sockets. */
import { fail } from '../sdk/errors.ts';
import type { Files } from '../sdk/ports.ts';

export { socketPath } from '../sdk/paths.ts';

const KNOWN_SOCKETS = ['/run/containerd/containerd.sock', '/var/run/crio/crio.sock', '/var/run/cri-dockerd.sock'];

/** The socket given, or the only one there is; containerd's where there is none. E_CRI_SOCKETS where there are several. */
export async function findCriSocket(files: Files, given: string | undefined): Promise<string> {
  if (given !== undefined && given !== '') return given;
  const found: string[] = [];
  for (const socket of KNOWN_SOCKETS) if ((await files.stat(socket)) !== undefined) found.push(socket);
  if (found.length > 1) throw fail('E_CRI_SOCKETS', { sockets: found.map((socket) => `unix://${socket}`) });
  return `unix://${found[0] ?? KNOWN_SOCKETS[0]}`;
}
