/** Discovery by a file or an https:// address: whoever wrote it is trusted, and TLS proves the rest. Writes nothing. */
import { assertClock, readKubeconfig } from '../../engine/node/index.ts';
import {
  apiCalls,
  type ClusterInfo,
  clean,
  definePhase,
  downloads,
  type Files,
  fail,
  isJoinError,
  type Kube,
  runs,
  type Web,
} from '../../engine/sdk/index.ts';
import { type Credentials, credentialsOf } from './credentials.ts';
import { certificatesIn, isOfRoot, type Origin, readDiscovery } from './file.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'discovery-file',
  summary: 'Trust the cluster that a file or an https address describes',
  input,
  output,
  effects: [
    downloads('the discovery file, where it is an https:// address'),
    runs('*', 'the exec plugin of a discovery file that only root can have written; in a dry run too'),
    apiCalls(['get'], 'configmaps', 'cluster-info, to see that the server answers'),
  ],

  async run({ files, web, kube, commands, log }, { discoveryFile, token, tlsBootstrapToken }) {
    const origin = await open(discoveryFile, files, web);
    const refuse = (what: string) => fail('E_DISCOVERY_FILE', { file: origin.name, what });
    const { server, ca: fileCa, user, unused } = await readDiscovery(origin, files);
    for (const field of unused) log.warn(`${field} of ${origin.name} is not used: no kubelet would be told of it`);
    const credentials = await credentialsOf(user, origin, { files, commands });
    const trusted = fileCa === '' ? await web.roots() : fileCa;
    if (trusted === '') throw refuse('it names no CA, and this machine trusts none by itself');
    const claim = await clusterInfo(kube, { server, ca: trusted }, credentials);
    assertClock(server, claim?.clockSkewMs);
    if (claim === undefined)
      log.warn(`${server} does not show cluster-info to everybody; its certificate is the file's`);
    const told = claim === undefined ? undefined : clusterOf(claim);
    if (told !== undefined && told.server !== server)
      log.warn(`the cluster calls itself ${clean(told.server)}; the file's ${server} is used`);
    const ca = fileCa === '' ? (told?.ca ?? '') : fileCa;
    if (certificatesIn(ca) === 0) throw refuse('neither it nor the cluster says which CA to trust');
    log.info(`the cluster's API server is ${server}, as ${origin.name} says`);
    const bootstrapToken = tlsBootstrapToken ?? token;
    if (bootstrapToken !== undefined) return { server, ca, token: bootstrapToken };
    if (credentials === undefined) throw fail('E_DISCOVERY_CREDENTIALS', { file: origin.name });
    return { server, ca, ...credentials };
  },
});

async function open(given: string, files: Files, web: Web): Promise<Origin> {
  // What stands behind a question mark may be a secret.
  if (given.startsWith('https://'))
    return { name: given.replace(/[?#].*$/s, ''), text: await web.get(given), local: false, ofRoot: false };
  const path = given.replace(/^file:\/\//, '');
  const bytes = await files.read(path);
  if (bytes === undefined) throw fail('E_DISCOVERY_FILE', { file: path, what: 'there is no such file' });
  return { name: path, text: bytes.toString('utf8'), local: true, ofRoot: await isOfRoot(path, files) };
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
    if (found === undefined) throw fail('E_CLUSTER_INFO_MISSING', { server: cluster.server, status: 404 });
    return { data: found.data ?? {}, clockSkewMs: api.clockSkewMs() };
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
