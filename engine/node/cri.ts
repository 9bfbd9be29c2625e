/** The container runtime of a machine. Source: kubeadm's list of known sockets. */
import { fail } from '../sdk/errors.ts';
import type { Files } from '../sdk/ports.ts';

export { socketPath } from '../sdk/paths.ts';

const KNOWN_SOCKETS = ['/run/containerd/containerd.sock', '/var/run/crio/crio.sock', '/var/run/cri-dockerd.sock'];

/**
 * The configured socket, or the only known socket that exists, or containerd's if none exists.
 * Throws E_CRI_SOCKETS if several exist.
 */
export async function findCriSocket(files: Files, given: string | undefined): Promise<string> {
  if (given !== undefined && given !== '') return given;
  const found: string[] = [];
  for (const socket of KNOWN_SOCKETS) if ((await files.stat(socket)) !== undefined) found.push(socket);
  if (found.length > 1) throw fail('E_CRI_SOCKETS', { sockets: found.map((socket) => `unix://${socket}`) });
  return `unix://${found[0] ?? KNOWN_SOCKETS[0]}`;
}
