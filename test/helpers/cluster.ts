/** A cluster as a map of objects, for tests of phases on a memory host. The sandbox is a more complete cluster. */
import type { Wait } from '../../engine/host/host.ts';
import { type CsrObject, configMapRef, nodeUser } from '../../engine/node/index.ts';
import {
  type Certificate,
  generateKeyPem,
  issueCertificate,
  type KeyAlgorithm,
  publicKeyDer,
  readCertificates,
  readCsr,
  signDetached,
} from '../../engine/pki/index.ts';
import { type ApiAnswer, type ApiRequest, collectionPath, objectPath } from '../../engine/sdk/api.ts';
import type { KubeObject, ObjectRef } from '../../engine/sdk/index.ts';

export const NOW = new Date('2026-03-04T05:06:07Z');
export const DAY_MS = 86_400_000;
export const SERVER = 'https://api.example:6443';
export const ENDPOINT = 'api.example:6443';
export const TOKEN_ID = 'abcdef';
export const TOKEN_SECRET = 'canary0123456789';
export const TOKEN = `${TOKEN_ID}.${TOKEN_SECRET}`;

export interface Authority {
  key: string;
  pem: string;
  certificate: Certificate;
  pin: string;
}

export function authority(commonName = 'kubernetes', algorithm: KeyAlgorithm = 'ECDSA-P256'): Authority {
  const key = generateKeyPem(algorithm);
  const pem = issueCertificate({
    subject: { commonName, organizations: [] },
    publicKey: publicKeyDer(key),
    signingKey: key,
    use: 'ca',
    notBefore: new Date(NOW.getTime() - DAY_MS),
    notAfter: new Date(NOW.getTime() + 3650 * DAY_MS),
  });
  const [certificate] = readCertificates(pem);
  if (certificate === undefined) throw new Error('no certificate');
  return { key, pem, certificate, pin: certificate.pin };
}

export interface ClientCertificate {
  user?: string;
  groups?: string[];
  keyPem?: string;
  use?: 'client' | 'server';
  notBefore?: Date;
  notAfter?: Date;
}

/** The certificate of node w1, or one that differs in something. */
export function issue(
  ca: Authority,
  {
    user = nodeUser('w1'),
    groups = ['system:nodes'],
    keyPem = generateKeyPem(),
    use = 'client',
    ...dates
  }: ClientCertificate = {},
) {
  const pem = issueCertificate({
    subject: { commonName: user, organizations: groups },
    publicKey: publicKeyDer(keyPem),
    issuer: { commonName: 'kubernetes', organizations: [] },
    signingKey: ca.key,
    use,
    notBefore: dates.notBefore ?? new Date(NOW.getTime() - DAY_MS),
    notAfter: dates.notAfter ?? new Date(NOW.getTime() + 365 * DAY_MS),
  });
  return { pem, keyPem };
}

export const clusterInfoKubeconfig = (ca: string, server = SERVER): string =>
  `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${Buffer.from(ca).toString('base64')}
    server: ${server}
  name: ""
contexts: null
current-context: ""
kind: Config
preferences: {}
users: null
`;

/** The data of a cluster-info ConfigMap, signed for the token. */
export const clusterInfo = (kubeconfig: string, token = TOKEN): Record<string, string> => {
  const [id = '', secret = ''] = token.split('.');
  return { kubeconfig, [`jws-kubeconfig-${id}`]: signDetached(kubeconfig, id, secret) };
};

/** As a merge patch does it: null removes. */
const merged = (there: Record<string, string> = {}, patch: Record<string, string> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries({ ...there, ...patch }).filter(([, value]) => value !== null));

type Answer = ApiAnswer | ((request: ApiRequest) => ApiAnswer);

export class FakeCluster {
  readonly ca: Authority;
  readonly objects = new Map<string, KubeObject>();
  /** `GET /path` → an answer instead of the object. */
  readonly answers = new Map<string, Answer>();
  automatic = true;
  clockSkewMs: number | undefined = 0;
  /** What becomes of a CSR that is waited for. */
  decide: (csr: CsrObject) => CsrObject = (csr) => this.signed(csr);

  constructor(ca: Authority = authority()) {
    this.ca = ca;
  }

  put(ref: ObjectRef, object: object): void {
    this.objects.set(objectPath(ref), { metadata: { name: ref.name }, ...object });
  }

  signed(csr: CsrObject, how: ClientCertificate & { keyPem?: string; altNames?: string[] } = {}): CsrObject {
    const asked = readCsr(Buffer.from(csr.spec.request, 'base64').toString());
    const certificate = issueCertificate({
      subject: { commonName: how.user ?? asked.commonName, organizations: how.groups ?? asked.organizations },
      publicKey: how.keyPem === undefined ? asked.publicKey : publicKeyDer(how.keyPem),
      issuer: { commonName: 'kubernetes', organizations: [] },
      signingKey: this.ca.key,
      use: how.use ?? 'client',
      altNames: how.altNames ?? asked.altNames,
      notBefore: how.notBefore ?? new Date(NOW.getTime() - DAY_MS),
      notAfter: how.notAfter ?? new Date(NOW.getTime() + 365 * DAY_MS),
    });
    const conditions = [{ type: 'Approved', status: 'True', reason: 'AutoApproved' }];
    return { ...csr, status: { conditions, certificate: Buffer.from(certificate).toString('base64') } };
  }

  readonly send = (request: ApiRequest): ApiAnswer => {
    const { method, path, ref, query, body } = request;
    const said = this.answers.get(`${method} ${path}`);
    if (said !== undefined) return typeof said === 'function' ? said(request) : said;
    if (path === '/version') return this.answer(200, { major: '1', minor: '20', gitVersion: 'v1.20.2' });
    if (path.endsWith('/selfsubjectaccessreviews'))
      return this.answer(201, { metadata: {}, status: { allowed: this.automatic } });
    if (ref === undefined) return this.answer(404, { message: 'no such path' });
    const there = this.objects.get(objectPath(ref));
    if (method === 'GET')
      return there === undefined ? this.answer(404, { message: 'not found' }) : this.answer(200, there);
    if (method === 'POST') {
      if (path !== collectionPath(ref)) return this.answer(405, { message: 'not a collection' });
      if (there !== undefined) return this.answer(409, { message: 'already exists' });
      const created = {
        ...(body as KubeObject),
        metadata: { ...(body as KubeObject).metadata, uid: `uid-${ref.name}` },
      };
      if (query.dryRun !== 'All') this.objects.set(objectPath(ref), created);
      return this.answer(201, created);
    }
    if (there === undefined) return this.answer(404, { message: 'not found' });
    const { metadata, ...rest } = body as Partial<KubeObject>;
    const annotations = merged(there.metadata.annotations, metadata?.annotations);
    const labels = merged(there.metadata.labels, metadata?.labels);
    const patched = { ...there, ...rest, metadata: { ...there.metadata, annotations, labels } };
    if (query.dryRun !== 'All') this.objects.set(objectPath(ref), patched);
    return this.answer(200, patched);
  };

  readonly wait = async (condition: Wait): Promise<unknown> => {
    if (condition.kind === 'healthy' || condition.kind === 'port' || condition.kind === 'answer') return undefined;
    if (condition.kind === 'etcd') throw new Error('the cluster has no etcd');
    if (condition.kind === 'file') throw new Error(`nothing writes ${condition.path}`);
    const { ref, from, done } = condition;
    if (from !== undefined && done(from)) return from;
    const there = this.objects.get(objectPath(ref));
    const isCsr = ref.resource === 'certificatesigningrequests' && there !== undefined;
    const object = isCsr ? this.decide(there as CsrObject) : there;
    if (!done(object)) throw new Error(`would wait forever for ${ref.resource} ${ref.name}`);
    return object;
  };

  answer(status: number, body: object): ApiAnswer {
    return { status, body: structuredClone(body), clockSkewMs: this.clockSkewMs };
  }
}

/** A cluster with what a join reads. */
export function joinableCluster(ca: Authority): FakeCluster {
  const cluster = new FakeCluster(ca);
  cluster.put(configMapRef('kube-public', 'cluster-info'), { data: clusterInfo(clusterInfoKubeconfig(ca.pem)) });
  cluster.put(configMapRef('kube-system', 'kubeadm-config'), {
    data: { ClusterConfiguration: 'kubernetesVersion: v1.30.0\n' },
  });
  cluster.put(configMapRef('kube-system', 'kubelet-config'), {
    data: { kubelet: 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\ncgroupDriver: systemd\n' },
  });
  return cluster;
}
