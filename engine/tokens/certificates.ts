/**
 * The certificates that all control planes share, encrypted in the Secret kubeadm-certs. Source: kubeadm,
 * phases/copycerts.
 */
import type { Admin } from '../kube/admin.ts';
import { type ControlPlaneSettings, configMapRef, controlPlaneSettings, sharedFiles } from '../node/index.ts';
import { readCertificates, seal } from '../pki/index.ts';
import { type ApiAnswer, type ApiRequest, collectionPath, objectPath } from '../sdk/api.ts';
import { fail } from '../sdk/errors.ts';
import type { KubeObject, ObjectRef } from '../sdk/ports.ts';
import { Secret } from '../sdk/secret.ts';
import { parseYaml } from '../sdk/yaml.ts';
import { secretOf, secretRef } from './secret.ts';
import { DEFAULT_GROUP, randomToken } from './token.ts';
import { askAsAdmin } from './tokens.ts';

type Send = (request: ApiRequest) => Promise<ApiAnswer>;

const LIFE_MS = 2 * 3_600_000;
const NAMESPACE = 'kube-system';
const CERTS: ObjectRef = { apiVersion: 'v1', resource: 'secrets', namespace: NAMESPACE, name: 'kubeadm-certs' };
const RBAC = 'rbac.authorization.k8s.io';
const ROLE_NAME = 'kubeadm:kubeadm-certs';
/** Another control plane can do without the key of a CA, which then has to be elsewhere. */
const OPTIONAL = ['ca.key', 'front-proxy-ca.key', 'etcd-ca.key'];

export interface SharedContent {
  dataKey: string;
  path: string;
  /** Undefined for a file that does not exist. */
  content: Buffer | undefined;
}

/** What the cluster says about its control planes. E_KUBECONFIG_ACCESS, E_CLUSTER_CONFIGURATION, E_API_…. */
export async function readSettings(admin: Admin, send: Send): Promise<ControlPlaneSettings> {
  const ref = configMapRef(NAMESPACE, 'kubeadm-config');
  const request = { method: 'GET' as const, ref, path: objectPath(ref), query: {}, body: undefined };
  const { body } = await askAsAdmin(admin, send, { ...request, what: 'read kubeadm-config', expected: undefined });
  const { data } = body as { data?: { ClusterConfiguration?: unknown } };
  let configuration: unknown;
  try {
    configuration = parseYaml(String(data?.ClusterConfiguration ?? ''));
  } catch (error) {
    throw fail('E_CLUSTER_CONFIGURATION', { problems: [`kubeadm-config: ${(error as Error).message}`] }, error);
  }
  return controlPlaneSettings((configuration ?? {}) as object);
}

/** The files of this machine. E_CONTROL_PLANE_CERTIFICATES, or E_CERTS_CA if they are of another cluster. */
export async function readShared(
  settings: ControlPlaneSettings,
  clusterCa: string,
  read: (path: string) => Promise<Buffer | undefined>,
): Promise<SharedContent[]> {
  const shared: SharedContent[] = [];
  for (const { dataKey, path } of sharedFiles(settings, settings.certificatesDir))
    shared.push({ dataKey, path, content: await read(path) });
  const missing = shared.filter(({ dataKey, content }) => content === undefined && !OPTIONAL.includes(dataKey));
  if (missing.length > 0)
    throw fail('E_CONTROL_PLANE_CERTIFICATES', { problems: missing.map(({ path }) => `${path} does not exist`) });
  const own = certificateIn(shared.find(({ dataKey }) => dataKey === 'ca.crt'));
  const trusted = readCertificates(clusterCa);
  if (own === undefined || !trusted.some(({ pem }) => pem === own.pem))
    throw fail('E_CERTS_CA', {
      place: `${settings.certificatesDir}/ca.crt`,
      found: own?.pin ?? 'no certificate',
      verified: trusted.map(({ pin }) => pin),
    });
  return shared;
}

function certificateIn(file: SharedContent | undefined) {
  try {
    return readCertificates(file?.content?.toString('utf8') ?? '')[0];
  } catch (error) {
    throw fail('E_CONTROL_PLANE_CERTIFICATES', { problems: [`${file?.path}: ${(error as Error).message}`] }, error);
  }
}

export interface Storing {
  admin: Admin;
  send: Send;
  key: Secret;
  shared: readonly SharedContent[];
  now: Date;
}

/**
 * Replaces the Secret. A bootstrap token without any usage owns it, so the cluster deletes it when that token expires.
 * Returns that time.
 */
export async function storeCertificates({ admin, send, key, shared, now }: Storing): Promise<Date> {
  const ask = (method: ApiRequest['method'], ref: ObjectRef, body?: object, expected?: number) => {
    const path = method === 'POST' ? collectionPath(ref) : objectPath(ref);
    const what = `store certificates (${method} ${ref.resource} ${ref.name})`;
    return askAsAdmin(admin, send, { method, ref, path, query: {}, body, what, expected });
  };
  const expiresAt = new Date(now.getTime() + LIFE_MS);
  const [id = '', secret = ''] = randomToken().split('.');
  const description = 'Owner of the Secret kubeadm-certs, which is deleted with it';
  const token = { id, secret: new Secret(secret), expiresAt, usages: [], groups: [], description };
  const owner = (await ask('POST', secretRef(id), secretOf(token))).body as KubeObject;
  const reference = { apiVersion: 'v1', kind: 'Secret', name: secretRef(id).name, uid: owner.metadata.uid };
  await ask('DELETE', CERTS, undefined, 404);
  await ask('POST', CERTS, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: CERTS.name,
      namespace: NAMESPACE,
      ownerReferences: [{ ...reference, controller: true, blockOwnerDeletion: true }],
    },
    data: Object.fromEntries(shared.map(({ dataKey, content }) => [dataKey, sealedText(key, content)])),
  });
  for (const { ref, kind, content } of ACCESS) {
    const object = { apiVersion: ref.apiVersion, kind, metadata: { name: ref.name, namespace: NAMESPACE }, ...content };
    const { status } = await ask('POST', ref, object, 409);
    if (status === 409) await ask('PATCH', ref, content);
  }
  return expiresAt;
}

const sealedText = (key: Secret, content: Buffer | undefined): string =>
  content === undefined ? '' : seal(key.reveal(), content).toString('base64');

const accessRef = (resource: string): ObjectRef => ({
  apiVersion: `${RBAC}/v1`,
  resource,
  namespace: NAMESPACE,
  name: ROLE_NAME,
});

/** Joining machines may read the Secret. */
const ACCESS = [
  {
    ref: accessRef('roles'),
    kind: 'Role',
    content: { rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: [CERTS.name], verbs: ['get'] }] },
  },
  {
    ref: accessRef('rolebindings'),
    kind: 'RoleBinding',
    content: {
      roleRef: { apiGroup: RBAC, kind: 'Role', name: ROLE_NAME },
      subjects: [{ apiGroup: RBAC, kind: 'Group', name: DEFAULT_GROUP }],
    },
  },
];
