/** How a kubelet learns the socket of its container runtime. Source: kubeadm, phases/kubelet and util/runtime. */
import type { Files, Runtime } from '../sdk/ports.ts';
import { clusterSettings } from './cluster-settings.ts';
import { findCriSocket, socketPath } from './cri.ts';
import { holds } from './release-facts.ts';

/** Whether a file of this machine has the socket, instead of a kubelet flag and an annotation of the Node. */
export function hasSocketFile(kubeletVersion: string, clusterConfiguration: object | undefined): boolean {
  const gate = clusterSettings(clusterConfiguration).featureGates.NodeLocalCRISocket;
  if (!holds('socketFileGate', kubeletVersion)) return false;
  return typeof gate === 'boolean' ? gate : holds('socketFileByDefault', kubeletVersion);
}

/** Whether the Node of this kubelet is annotated with the socket. */
export const isSocketAnnotated = (kubeletVersion: string, clusterConfiguration: object | undefined): boolean =>
  !holds('noSocketAnnotation', kubeletVersion) && !hasSocketFile(kubeletVersion, clusterConfiguration);

/**
 * The socket in the form that kubeadm of the kubelet's release writes: up to 1.23 as configured, or a path; from 1.24
 * on a URL. A detected socket is then below /var/run, unless it exists only below /run. Throws E_CRI_SOCKETS.
 */
export async function writtenSocket(
  { files, runtime }: { files: Files; runtime: Runtime },
  given: string | undefined,
  kubeletVersion: string,
): Promise<string> {
  const socket = await findCriSocket({ files, runtime }, given);
  const path = socketPath(socket);
  if (!holds('remoteRuntimesOnly', kubeletVersion)) return given === undefined || given === '' ? path : given;
  const exists = async (name: string) => (await files.stat(name)) !== undefined;
  const isGiven = given !== undefined && given !== '';
  const isMoved = !isGiven && path.startsWith('/run/') && ((await exists(`/var${path}`)) || !(await exists(path)));
  return `unix://${isMoved ? '/var' : ''}${path}`;
}
