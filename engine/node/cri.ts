/** The container runtime of a machine. Source: kubeadm's list of known sockets. */
import { fail, isJoinError } from '../sdk/errors.ts';
import type { Files, Runtime } from '../sdk/ports.ts';

export { socketPath } from '../sdk/paths.ts';

const KNOWN_SOCKETS = ['/run/containerd/containerd.sock', '/var/run/crio/crio.sock', '/var/run/cri-dockerd.sock'];

/**
 * The configured socket, or the only known socket on the machine, or containerd's if no known socket exists. Of several
 * sockets, only those count behind which a runtime answers. Throws E_CRI_SOCKETS if several do.
 */
export async function findCriSocket(
  { files, runtime }: { files: Pick<Files, 'stat'>; runtime: Pick<Runtime, 'status'> },
  given: string | undefined,
): Promise<string> {
  if (given !== undefined && given !== '') return given;
  const found: string[] = [];
  for (const socket of KNOWN_SOCKETS) {
    const kind = (await files.stat(socket))?.kind;
    if (kind === 'socket' || kind === 'link') found.push(socket);
  }
  const answering = found.length > 1 ? await answeringOf(runtime, found) : found;
  if (answering.length > 1) throw fail('E_CRI_SOCKETS', { sockets: answering.map((socket) => `unix://${socket}`) });
  return `unix://${answering[0] ?? found[0] ?? KNOWN_SOCKETS[0]}`;
}

async function answeringOf(runtime: Pick<Runtime, 'status'>, sockets: readonly string[]): Promise<string[]> {
  const answers = await Promise.allSettled(sockets.map((socket) => runtime.status(`unix://${socket}`)));
  return sockets.filter((_, index) => {
    const answer = answers[index];
    return (
      answer?.status === 'fulfilled' || (isJoinError(answer?.reason) && answer.reason.code !== 'E_CRI_UNREACHABLE')
    );
  });
}
