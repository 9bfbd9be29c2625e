/** What a discovery file says of the cluster. Source of the rules: kubeadm, discovery/file, and client-go's kubeconfig loader. */

import { type Kubeconfig, readKubeconfig } from '../../engine/node/index.ts';
import { readCertificates } from '../../engine/pki/index.ts';
import { clean, type Files, fail } from '../../engine/sdk/index.ts';

export interface Origin {
  /** Its path or address. */
  name: string;
  text: string;
  /** On this machine; then it may name other files. */
  local: boolean;
  /** On this machine, and written by root alone; then it may name programs. */
  ofRoot: boolean;
}

export interface Discovery {
  server: string;
  /** PEM bundle; empty where the file names none. */
  ca: string;
  /** The user of the current context. */
  user: Record<string, unknown>;
  /** Fields of the cluster that say how client-go reaches it, and that no kubelet would be told of. */
  unused: string[];
}

const UNUSED = ['proxy-url', 'tls-server-name'];

/** E_DISCOVERY_FILE. The cluster without a name counts, else that of the current context. */
export async function readDiscovery(origin: Origin, files: Files): Promise<Discovery> {
  const refuse = (what: string, cause?: unknown) => fail('E_DISCOVERY_FILE', { file: origin.name, what }, cause);
  const config = parsed(origin.text, refuse);
  const context = config.contexts.find(({ name }) => name === config.current);
  const cluster =
    config.clusters.find(({ name }) => name === '') ?? config.clusters.find(({ name }) => name === context?.cluster);
  if (cluster === undefined)
    throw refuse('it has neither a cluster without a name nor a current context that names one');
  if (cluster.cluster['insecure-skip-tls-verify'] === true)
    throw refuse('insecure-skip-tls-verify would have this machine join whoever answers');
  const { protocol, pathname, search, username } = new URL(cluster.server);
  if (protocol !== 'https:' || pathname !== '/' || search !== '' || username !== '')
    throw refuse(`its server ${clean(cluster.server)} is not https://host:port`);
  if (cluster.caFile !== undefined && cluster.ca !== '')
    throw refuse('it has both certificate-authority and certificate-authority-data');
  const ca = cluster.caFile === undefined ? cluster.ca : await besides(origin, cluster.caFile, files, refuse);
  if (ca !== '' && certificatesIn(ca) === 0) throw refuse('its CA data holds no certificate');
  const user = config.users.find(({ name }) => name === context?.user)?.user ?? {};
  const unused = UNUSED.filter((key) => cluster.cluster[key] !== undefined);
  return { server: cluster.server.replace(/\/$/, ''), ca, user, unused };
}

/** The text of another file that this one names, beside it where the name is relative; only where both are of this machine. */
export async function besides(
  origin: Origin,
  name: string,
  files: Files,
  refuse: (what: string) => Error,
): Promise<string> {
  if (!origin.local) throw refuse(`it names the file ${clean(name)}, which one from the web may not`);
  const path = name.startsWith('/') ? name : `${origin.name.slice(0, origin.name.lastIndexOf('/') + 1)}${name}`;
  const bytes = await files.read(path);
  if (bytes === undefined) throw refuse(`it names ${path}, which is not there`);
  return bytes.toString('utf8');
}

/**
 * Nobody but root can have put this file here: it and every directory above it are root's, none of them a link, and no others may write
 * there. In a sticky directory, as /tmp is, others may write, but not exchange what is root's.
 */
export async function isOfRoot(path: string, files: Files): Promise<boolean> {
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

/** 0 also where one of them is damaged. */
export function certificatesIn(pem: string): number {
  try {
    return readCertificates(pem).length;
  } catch {
    return 0;
  }
}
