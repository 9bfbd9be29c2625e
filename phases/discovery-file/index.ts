/** Discovery by a file or an https:// address: whoever wrote it is trusted, and TLS proves the rest. Writes nothing. */
import { readCertificates } from '../../engine/pki/index.ts';
import {
  assertClock,
  type ClusterInfo,
  calls,
  definePhase,
  downloads,
  type Files,
  fail,
  isJoinError,
  type Kube,
  readKubeconfig,
  runs,
  type Web,
} from '../../engine/sdk/index.ts';
import { type Credentials, credentialsOf } from './credentials.ts';
import { type Origin, readDiscovery } from './file.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'discovery-file',
  summary: 'Trust the cluster that a file or an https address describes',
  input,
  output,
  effects: [
    downloads('the discovery file, where it is an https:// address'),
    runs('*', 'the exec plugin that a discovery file of root names'),
    calls(['get'], 'configmaps', 'cluster-info, to see that the server answers'),
  ],

  async run({ files, web, kube, commands, log }, { discoveryFile, token, tlsBootstrapToken }) {
    const origin = await open(discoveryFile, files, web);
    const { server, ca: fileCa, user } = await readDiscovery(origin, files);
    const credentials = await credentialsOf(user, origin, { files, commands });
    const trusted = fileCa === '' ? await web.roots() : fileCa;
    const claim = await clusterInfo(kube, { server, ca: trusted }, credentials);
    assertClock(server, claim?.clockSkewMs);
    if (claim === undefined)
      log.warn(`${server} does not show cluster-info to everybody; its certificate is the file's`);
    const told = claim === undefined ? undefined : clusterOf(claim);
    if (told !== undefined && told.server !== server)
      log.warn(`the cluster calls itself ${told.server}; the file's ${server} is used`);
    const ca = fileCa === '' ? (told?.ca ?? '') : fileCa;
    if (readCertificates(ca).length === 0)
      throw fail('E_DISCOVERY_FILE', { file: origin.name, what: 'neither it nor the cluster says which CA to trust' });
    log.info(`the cluster's API server is ${server}, as ${origin.name} says`);
    const bootstrapToken = tlsBootstrapToken ?? token;
    if (bootstrapToken !== undefined) return { server, ca, token: bootstrapToken };
    if (credentials === undefined) throw fail('E_DISCOVERY_CREDENTIALS', { file: origin.name });
    return { server, ca, ...credentials };
  },
});

async function open(given: string, files: Files, web: Web): Promise<Origin> {
  if (given.startsWith('https://')) return { name: given, text: await web.get(given), local: false, ofRoot: false };
  const path = given.replace(/^file:\/\//, '');
  const bytes = await files.read(path);
  if (bytes === undefined) throw fail('E_DISCOVERY_FILE', { file: path, what: 'there is no such file' });
  const stat = await files.stat(path);
  // What only root can have written may make us run a program, or read a file that holds a token.
  const ofRoot = stat?.kind === 'file' && (stat.uid ?? 0) === 0 && (stat.mode & 0o022) === 0;
  return { name: path, text: bytes.toString('utf8'), local: true, ofRoot };
}

/** Undefined where it is not for everybody: the certificate of who refuses has been checked. */
async function clusterInfo(
  kube: Kube,
  cluster: { server: string; ca: string },
  credentials: Credentials | undefined,
): Promise<ClusterInfo | undefined> {
  try {
    if (credentials === undefined) return await kube.clusterInfo(cluster.server, { ca: cluster.ca });
    const { token, clientCertificate: pem, clientKey: key } = credentials;
    const certificate = pem === undefined || key === undefined ? {} : { certificate: { pem, key } };
    const api = kube.as({ ...cluster, ...(token === undefined ? {} : { token }), ...certificate });
    const found = await api.get<{ metadata: object; data?: Record<string, string> }>({
      ...{ apiVersion: 'v1', resource: 'configmaps', namespace: 'kube-public', name: 'cluster-info' },
    });
    return { data: found?.data ?? {}, clockSkewMs: api.clockSkewMs() };
  } catch (error) {
    const isForbidden =
      isJoinError(error) &&
      (error.code === 'E_API_FORBIDDEN' ||
        (error.code === 'E_CLUSTER_INFO_MISSING' && (error.facts as { status?: number }).status === 403));
    if (isForbidden) return undefined;
    throw error;
  }
}

/** What the cluster says of itself; undefined where it says nothing that can be read: the file's word stands. */
function clusterOf({ data }: ClusterInfo): { server: string; ca: string } | undefined {
  try {
    const [cluster] = readKubeconfig(data.kubeconfig ?? '').clusters;
    return cluster === undefined ? undefined : { server: cluster.server.replace(/\/$/, ''), ca: cluster.ca };
  } catch {
    return undefined;
  }
}
