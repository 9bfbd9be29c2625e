/**
 * Discovery through a kubeconfig file or https:// address: the file is trusted, and TLS verifies the server. Writes
 * nothing.
 */
import {
  assertClock,
  clusterInUse,
  discovered,
  logProxy,
  readKubeconfig,
  readServerAddress,
} from '../../engine/node/index.ts';
import { shortKeysIn } from '../../engine/pki/index.ts';
import {
  apiCalls,
  type ClusterInfo,
  clean,
  decodeText,
  defined,
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
import { certificatesOf, isWritableByRootOnly, type Origin, readDiscovery } from './file.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'discovery-file',
  summary: 'Find and verify the cluster through a discovery file',
  input,
  output,
  effects: [
    downloads('the discovery file, if it is an https:// address'),
    runs('*', 'the exec plugin of a discovery file that only root can write; also in a dry run'),
    apiCalls(['get'], 'configmaps', 'cluster-info, to verify that the server answers'),
  ],

  async run({ files, web, kube, commands, log }, { discoveryFile, token, tlsBootstrapToken }) {
    const origin = await open(discoveryFile, files, web);
    const refuse = (what: string) => fail('E_DISCOVERY_FILE', { file: origin.name, what });
    const { server, ca: fileCa, user, ignoredFields } = await readDiscovery(origin, files);
    for (const field of ignoredFields)
      log.warn(`${origin.name}: ignoring ${field}, because the kubelet would not get it`);
    const credentials = await credentialsOf(user, origin, { files, commands });
    const trusted = fileCa === '' ? await web.roots() : fileCa;
    if (trusted === '') throw refuse('it has no CA, and this machine has no trusted CA certificates');
    await logProxy(web, log, server);
    const claim = await clusterInfo(kube, { server, ca: trusted }, credentials);
    assertClock(server, claim?.clockSkewMs);
    if (claim === undefined)
      log.warn(`${server} does not allow this client to read cluster-info; trusting the discovery file alone`);
    const claimed = claim === undefined ? undefined : clusterOf(claim);
    if (claimed !== undefined && claimed.server !== server)
      log.warn(`cluster-info names the server ${clean(claimed.server)}; using ${server} from the discovery file`);
    const ca = fileCa === '' ? (claimed?.ca ?? '') : fileCa;
    if (ca === '') throw refuse('neither the file nor cluster-info has a CA certificate');
    for (const what of shortKeysIn(ca)) log.warn(clean(what));
    log.info(`the API server is ${server} (from ${origin.name})`);
    const bootstrapToken = tlsBootstrapToken ?? token;
    if (bootstrapToken !== undefined) return discovered({ server, ca, token: bootstrapToken });
    if (credentials === undefined) throw fail('E_DISCOVERY_CREDENTIALS', { file: origin.name });
    return discovered({ server, ca, ...credentials });
  },
});

async function open(location: string, files: Files, web: Web): Promise<Origin> {
  // The query may contain a secret, so the name that errors show leaves it out.
  if (location.startsWith('https://'))
    return {
      name: location.replace(/[?#].*$/s, ''),
      text: await web.get(location),
      local: false,
      writableByRootOnly: false,
    };
  const path = location.replace(/^file:\/\//, '');
  if ((await files.stat(path))?.kind === 'directory')
    throw fail('E_DISCOVERY_FILE', { file: path, what: 'it is a directory' });
  const bytes = await files.read(path);
  if (bytes === undefined) throw fail('E_DISCOVERY_FILE', { file: path, what: 'the file does not exist' });
  return {
    name: path,
    text: decodeText(bytes),
    local: true,
    writableByRootOnly: await isWritableByRootOnly(path, files),
  };
}

/** Undefined if the server refuses to show cluster-info. TLS has verified the server even then. */
async function clusterInfo(
  kube: Kube,
  cluster: { server: string; ca: string },
  credentials: Credentials | undefined,
): Promise<ClusterInfo | undefined> {
  try {
    if (credentials === undefined) return await kube.clusterInfo(cluster.server, { ca: cluster.ca });
    const { token, clientCertificate: pem, clientKey: key } = credentials;
    const certificate = pem === undefined || key === undefined ? undefined : { pem, key };
    const api = kube.as({ ...cluster, ...defined({ token, certificate }) });
    const found = await api.get<{ metadata: object; data?: Record<string, string> }>({
      apiVersion: 'v1',
      resource: 'configmaps',
      namespace: 'kube-public',
      name: 'cluster-info',
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

/**
 * Server and CA as cluster-info names them; undefined if its kubeconfig cannot be parsed, and then the file alone
 * counts.
 */
function clusterOf({ data }: ClusterInfo): { server: string; ca: string } | undefined {
  try {
    const cluster = clusterInUse(readKubeconfig(data.kubeconfig ?? ''));
    return cluster === undefined
      ? undefined
      : { server: readServerAddress(cluster.server), ca: certificatesOf(cluster.ca) };
  } catch {
    return undefined;
  }
}
