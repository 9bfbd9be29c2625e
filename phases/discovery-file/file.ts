/** Reads a discovery file. Source of the rules: kubeadm, discovery/file, and client-go's kubeconfig loader. */

import { clusterInUse, type Kubeconfig, readKubeconfig, readServerAddress } from '../../engine/node/index.ts';
import { certificatesPem } from '../../engine/pki/index.ts';
import { clean, decodeText, type Files, fail } from '../../engine/sdk/index.ts';

export interface Origin {
  /** Path or address of the file. */
  name: string;
  text: string;
  /** The file is on this machine, so it may refer to other files. */
  local: boolean;
  /** The file is on this machine and only root can write it, so it may name programs and token files. */
  writableByRootOnly: boolean;
}

export interface Discovery {
  server: string;
  /** PEM bundle; empty if the file has none. */
  ca: string;
  /** The user of the current context. */
  user: Record<string, unknown>;
  /**
   * Fields of the cluster that Joinery ignores: they tell client-go how to connect, and a kubelet would not get them.
   */
  ignoredFields: string[];
}

const IGNORED_FIELDS = ['proxy-url', 'tls-server-name'];

/** Reads the cluster without a name, else the cluster of the current context. Throws E_DISCOVERY_FILE. */
export async function readDiscovery(origin: Origin, files: Files): Promise<Discovery> {
  const refuse = (what: string, cause?: unknown) => fail('E_DISCOVERY_FILE', { file: origin.name, what }, cause);
  const config = parsed(origin.text, refuse);
  const context = config.contexts.find(({ name }) => name === config.current);
  const cluster = clusterInUse(config);
  if (cluster === undefined)
    throw refuse('it has neither a cluster without a name nor a current context with a cluster');
  if (cluster.cluster['insecure-skip-tls-verify'] === true)
    throw refuse('it sets insecure-skip-tls-verify, so any server could pose as the cluster');
  const server = addressOf(cluster.server, refuse);
  if (cluster.caFile !== undefined && cluster.ca !== '')
    throw refuse('it has both certificate-authority and certificate-authority-data');
  const caText =
    cluster.caFile === undefined ? cluster.ca : await readReferenced(origin, cluster.caFile, files, refuse);
  // Only the certificates: the file may have a private key beside them, and the result of this phase is not secret.
  const ca = certificatesOf(caText);
  if (caText !== '' && ca === '') throw refuse('its CA data contains no certificate');
  const user = config.users.find(({ name }) => name === context?.user)?.user ?? {};
  const ignoredFields = IGNORED_FIELDS.filter((key) => cluster.cluster[key] !== undefined);
  return { server, ca, user, ignoredFields };
}

/** Reads a file that a local discovery file refers to. A relative path starts at the folder of the discovery file. */
export async function readReferenced(
  origin: Origin,
  name: string,
  files: Files,
  refuse: (what: string) => Error,
): Promise<string> {
  if (!origin.local)
    throw refuse(`it refers to the file ${clean(name)}, and a file from the web must not refer to local files`);
  const path = name.startsWith('/') ? name : `${origin.name.slice(0, origin.name.lastIndexOf('/') + 1)}${name}`;
  const bytes = await files.read(path);
  if (bytes === undefined) throw refuse(`it refers to ${path}, which does not exist`);
  return decodeText(bytes);
}

/**
 * Whether only root can have written this file: root owns it and every directory above it, none of them is a link, and
 * no other user may write to them. A sticky directory such as /tmp is allowed, because other users cannot replace
 * root's files in it.
 */
export async function isWritableByRootOnly(path: string, files: Files): Promise<boolean> {
  const isRoots = async (place: string, kind: 'file' | 'directory'): Promise<boolean> => {
    const stat = await files.stat(place);
    if (stat?.kind !== kind || (stat.uid ?? 0) !== 0) return false;
    return (stat.mode & 0o022) === 0 || (kind === 'directory' && (stat.mode & 0o1000) !== 0);
  };
  if (!(await isRoots(path, 'file'))) return false;
  const parts = path.split('/').slice(1, -1);
  for (let depth = parts.length; depth >= 0; depth--)
    if (!(await isRoots(`/${parts.slice(0, depth).join('/')}`, 'directory'))) return false;
  return true;
}

function parsed(text: string, refuse: (what: string, cause?: unknown) => Error): Kubeconfig {
  try {
    return readKubeconfig(text);
  } catch (error) {
    throw refuse((error as Error).message, error);
  }
}

function addressOf(server: string, refuse: (what: string, cause?: unknown) => Error): string {
  try {
    return readServerAddress(server);
  } catch (error) {
    throw refuse((error as Error).message, error);
  }
}

/** The certificates alone, encoded again; empty if one of them cannot be parsed. */
export function certificatesOf(text: string): string {
  try {
    return certificatesPem(text);
  } catch {
    return '';
  }
}
