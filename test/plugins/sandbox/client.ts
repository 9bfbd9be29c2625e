/** A tiny HTTPS client for the sandbox's own tests: says what came back, hides nothing. */
import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { parse } from 'yaml';
import { createCsr, generateKeyPem, issueCertificate, publicKeyDer } from '../../../engine/pki/index.ts';
import type { KeyPair, Sandbox } from '../../../plugins/sandbox/index.ts';
import type { KubeObject } from '../../../plugins/sandbox/objects.ts';

export interface Ask {
  method?: string;
  token?: string;
  identity?: KeyPair;
  headers?: Record<string, string>;
  /** An object is sent as JSON, a text as it is. */
  body?: object | string;
}

export interface Reply {
  code: number;
  headers: IncomingHttpHeaders;
  text: string;
  json: KubeObject & { reason?: string; message?: string; items?: KubeObject[]; data?: Record<string, string> };
}

export interface WatchEvent {
  type: string;
  object: KubeObject & { code?: number; reason?: string };
}

export const CLUSTER_INFO = '/api/v1/namespaces/kube-public/configmaps/cluster-info';
export const CSRS = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
export const NODES = '/api/v1/nodes';
export const USAGES = ['digital signature', 'key encipherment', 'client auth'];
export const SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet';

async function open({ endpoint, caPem }: Sandbox, path: string, ask: Ask): Promise<IncomingMessage> {
  const { method = 'GET', token, identity, body } = ask;
  const sent = typeof body === 'string' ? body : body && JSON.stringify(body);
  const headers = {
    ...(sent === undefined
      ? {}
      : { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(sent)) }),
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    ...ask.headers,
  };
  const outgoing = request(`https://${endpoint}${path}`, { method, headers, ca: caPem, agent: false, ...identity });
  outgoing.end(sent);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  return incoming;
}

export async function ask(sandbox: Sandbox, path: string, how: Ask = {}): Promise<Reply> {
  const incoming = await open(sandbox, path, how);
  const body = await text(incoming);
  const isJson = incoming.headers['content-type'] === 'application/json' && !path.includes('watch=');
  return {
    code: incoming.statusCode ?? 0,
    headers: incoming.headers,
    text: body,
    json: isJson ? JSON.parse(body) : {},
  };
}

/** Events of a watch, until it ends or the caller stops reading. */
export async function* watch(sandbox: Sandbox, path: string, how: Ask = {}): AsyncGenerator<WatchEvent> {
  const incoming = await open(sandbox, `${path}${path.includes('?') ? '&' : '?'}watch=true`, how);
  try {
    for await (const line of createInterface({ input: incoming })) yield JSON.parse(line);
  } finally {
    incoming.destroy();
  }
}

const admins = new WeakMap<Sandbox, KeyPair>();

export function admin(sandbox: Sandbox): KeyPair {
  const known = admins.get(sandbox) ?? readAdmin(sandbox.adminKubeconfig);
  admins.set(sandbox, known);
  return known;
}

function readAdmin(adminKubeconfig: string): KeyPair {
  const [{ user }] = parse(adminKubeconfig).users;
  const decode = (data: string) => Buffer.from(data, 'base64').toString();
  return { cert: decode(user['client-certificate-data']), key: decode(user['client-key-data']) };
}

/** A client certificate of the cluster's CA, as if its signer had been convinced. */
export function clientOf(sandbox: Sandbox, commonName: string, organizations: string[], changes: object = {}): KeyPair {
  const key = generateKeyPem();
  const cert = issueCertificate({
    subject: { commonName, organizations },
    publicKey: publicKeyDer(key),
    issuer: { commonName: 'kubernetes', organizations: [] },
    signingKey: sandbox.caKeyPem,
    use: 'client',
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    ...changes,
  });
  return { cert, key };
}

export const nodeClient = (sandbox: Sandbox, name: string): KeyPair =>
  clientOf(sandbox, `system:node:${name}`, ['system:nodes']);

export function csrObject(
  nodeName: string,
  changes: { organizations?: string[]; spec?: object; metadata?: object } = {},
) {
  const subject = { commonName: `system:node:${nodeName}`, organizations: changes.organizations ?? ['system:nodes'] };
  const request = Buffer.from(createCsr(generateKeyPem(), subject)).toString('base64');
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { generateName: 'csr-', ...changes.metadata },
    spec: { request, signerName: SIGNER, usages: USAGES, ...changes.spec },
  };
}

export const nodeObject = (name: string, changes: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'kubernetes.io/hostname': name } },
  ...changes,
});

/** The first event that fits; the watch is left then. */
export async function firstEvent(events: AsyncGenerator<WatchEvent>, fits: (event: WatchEvent) => boolean) {
  for await (const event of events) if (fits(event)) return event;
  throw new Error('the watch ended before');
}
