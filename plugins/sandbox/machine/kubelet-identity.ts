/** Reads the kubelet's identity: its kubeconfig, and the client certificate in it. */
import { parse } from 'yaml';
import { fitsKey, pemBlocks, readCertificates, toPem } from '../../../engine/pki/index.ts';
import { isRecord, type Json } from '../objects.ts';

/** Server and credentials for API calls. */
export interface Caller {
  server: string;
  ca: string;
  cert?: string;
  key?: string;
  token?: string;
}

export interface KubeletIdentity extends Caller {
  server: string;
  /** PEM bundle of the CAs that may sign the API server's certificate. */
  ca: string;
  /** PEM: the leaf, then intermediates. */
  cert: string;
  key: string;
  commonName: string;
}

type ReadPath = (path: string) => Promise<string>;

/** `readPath` reads a file of the machine. Throws an Error with the kubelet's message. */
export async function readIdentity(text: string, now: Date, readPath: ReadPath): Promise<KubeletIdentity> {
  const { organizations, ...identity } = await readClient(text, now, readPath);
  if (!organizations.includes('system:nodes')) throw new Error('the client certificate is not for system:nodes');
  return identity;
}

/** The client of a kubeconfig with a client certificate. Throws an Error with the message of client-go. */
export async function readClient(
  text: string,
  now: Date,
  readPath: ReadPath,
): Promise<KubeletIdentity & { organizations: string[] }> {
  const { server, ca, user } = await readCurrent(text, readPath);
  const [certs, keys] = [
    await content(user, 'client-certificate', readPath),
    await content(user, 'client-key', readPath),
  ];
  return { server, ca, ...clientCertificate(certs, keys, now) };
}

/** Reads a bootstrap kubeconfig, with a token or a client certificate. */
export async function readBootstrap(text: string, readPath: ReadPath): Promise<Caller> {
  const { server, ca, user } = await readCurrent(text, readPath);
  if (typeof user.token === 'string') return { server, ca, token: user.token };
  const [cert, key] = [
    await content(user, 'client-certificate', readPath),
    await content(user, 'client-key', readPath),
  ];
  return { server, ca, cert, key };
}

/** Cluster and user of the current context. */
async function readCurrent(text: string, readPath: ReadPath): Promise<{ server: string; ca: string; user: Json }> {
  const config: unknown = parse(text);
  if (!isRecord(config)) throw new Error('error loading config file: not a kubeconfig');
  const context = named(config, 'contexts', config['current-context'], 'context');
  const cluster = named(config, 'clusters', context.cluster, 'cluster');
  const user = named(config, 'users', context.user, 'user');
  const server = String(cluster.server);
  if (!server.startsWith('https://')) throw new Error(`invalid configuration: ${server} is not an https URL`);
  return { server, ca: await content(cluster, 'certificate-authority', readPath), user };
}

async function content(entry: Json, field: string, readPath: ReadPath): Promise<string> {
  const { [`${field}-data`]: data, [field]: path } = entry;
  if (typeof data === 'string') return Buffer.from(data, 'base64').toString();
  if (typeof path !== 'string') throw new Error(`invalid configuration: no ${field} has been provided`);
  return readPath(path);
}

function named(config: Json, list: string, name: unknown, field: string): Json {
  const entries = config[list];
  const entry = Array.isArray(entries) ? entries.find((one) => isRecord(one) && one.name === name) : undefined;
  const value = isRecord(entry) ? entry[field] : undefined;
  if (!isRecord(value)) throw new Error(`invalid configuration: ${field} "${name}" does not exist`);
  return value;
}

function clientCertificate(
  certs: string,
  keys: string,
  now: Date,
): Pick<KubeletIdentity, 'cert' | 'key' | 'commonName'> & { organizations: string[] } {
  const [leaf, ...chain] = readCertificates(certs);
  if (leaf === undefined) throw new Error('tls: failed to find any PEM data in certificate input');
  const key = pemBlocks(keys).find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (key === undefined) throw new Error('tls: failed to find any PEM data in key input');
  const keyPem = toPem(key.label, key.der);
  if (!fitsKey(leaf, keyPem)) throw new Error('tls: private key does not match public key');
  if (now > leaf.notAfter) throw new Error('part of the existing bootstrap client certificate is expired');
  const { commonName, organizations } = leaf;
  return { cert: [leaf, ...chain].map(({ pem }) => pem).join(''), key: keyPem, commonName, organizations };
}
