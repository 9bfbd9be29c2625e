/** Discovery files, and a machine and a cluster for tests of them. */
import type { ApiAnswer, ApiRequest } from '../../engine/sdk/api.ts';
import { revealSecrets } from '../../engine/sdk/index.ts';
import type { MemoryHost, MemoryMachine } from '../../engine/testing/memory-host.ts';
import { runPhase } from '../../engine/testing/run-phase.ts';
import discoveryFile from '../../phases/discovery-file/index.ts';
import { authority, clusterInfo, clusterInfoKubeconfig, issue, NOW, SERVER } from './cluster.ts';

export const ca = authority();
export const other = authority('other');
export const client = issue(ca);
export const base64 = (text: string) => Buffer.from(text).toString('base64');
export const SECRET = 'canary0123456789';
export const FILE = '/etc/cluster.conf';
export const WEB = 'https://files.example/cluster.conf';
export const PLUGIN = '/usr/local/bin/credentials';
export const API = 'client.authentication.k8s.io/v1';
export const SIGNAL = new AbortController().signal;

export interface Parts {
  cluster?: string;
  user?: string;
  clusterName?: string;
  context?: string;
}

/** The kubeconfig of an admin, with the given differences. */
export const kubeconfig = ({
  cluster,
  user = '{}',
  clusterName = 'prod',
  context = 'admin@prod',
}: Parts = {}): string =>
  `apiVersion: v1
kind: Config
current-context: ${context}
clusters: [{ name: "${clusterName}", cluster: ${cluster ?? `{ server: "${SERVER}", certificate-authority-data: ${base64(ca.pem)} }`} }]
users: [{ name: admin, user: ${user} }]
contexts: [{ name: admin@prod, context: { cluster: prod, user: admin } }]
`;
export const minimal = clusterInfoKubeconfig(ca.pem);
export const certified = `{ client-certificate-data: ${base64(client.pem)}, client-key-data: ${base64(client.keyPem)} }`;
export const exec = (more = '') => `{ exec: { apiVersion: ${API}, command: ${PLUGIN}, args: [get, token]${more} } }`;
export const credential = (status: object, apiVersion = API) =>
  JSON.stringify({ apiVersion, kind: 'ExecCredential', status });
export const printing = (stdout: string, exitCode = 0, stderr = '') => ({
  outputs: { [`${PLUGIN} get token`]: { stdout, exitCode, stderr } },
});

export const answer = (data?: object, status = 200, clockSkewMs = 0): ApiAnswer => ({
  status,
  body: { metadata: { name: 'cluster-info' }, ...(data === undefined ? {} : { data }) },
  clockSkewMs,
});
export const clusterInfoAnswer = answer(clusterInfo(minimal));
export const machineOf = (text: string, more: MemoryMachine = {}, first = clusterInfoAnswer): MemoryMachine => ({
  now: () => NOW,
  files: { [FILE]: text, ...more.files },
  downloads: { [WEB]: text },
  roots: other.pem,
  send: () => first,
  ...Object.fromEntries(Object.entries(more).filter(([key]) => key !== 'files')),
});
export const discover = (host: MemoryHost, values: Record<string, unknown> = {}) =>
  runPhase(discoveryFile, { discoveryFile: FILE, ...values }, host);
export const outputsOf = ({ result }: Awaited<ReturnType<typeof discover>>) => revealSecrets(result.steps[0]?.outputs);
/** What a discovery outputs that has found this identity. */
export const discovered = (identity: { server: string; ca: string; token?: string }) => ({
  identity,
  server: identity.server,
  ca: identity.ca,
});
export const warnings = ({ result }: Awaited<ReturnType<typeof discover>>) =>
  result.steps[0]?.notes.flatMap(({ level, text }) => (level === 'warn' ? [text] : []));
export const identities = (host: MemoryHost) => host.sent.map(({ as }: ApiRequest) => revealSecrets(as));
