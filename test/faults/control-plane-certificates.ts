/** What may be wrong with the Secret, with certificates on the machine, and with the cluster's configuration. */
import { generateSealKey, readCertificates } from '../../engine/pki/index.ts';
import controlPlaneCerts from '../../phases/control-plane-certs/index.ts';
import controlPlaneKubeconfig from '../../phases/control-plane-kubeconfig/index.ts';
import downloadCerts from '../../phases/download-certs/index.ts';
import preflightControlPlane from '../../phases/preflight-control-plane/index.ts';
import { apiServerPair, authorityFiles, controlPlaneMachine, SHARED } from '../helpers/control-plane.ts';
import {
  ADDRESS,
  CLUSTER,
  type Fault,
  fullDiskAt,
  IDENTITY,
  KEY,
  PKI,
  secretData,
  withSecret,
} from '../helpers/control-plane-faults.ts';

const ON_DISK = 'E_CONTROL_PLANE_CERTIFICATES: the certificates on this machine do not make a control plane: ';
const SECRET = 'E_CERTS_SECRET: cannot use Secret kube-system/kubeadm-certs: ';
const NOT_READY = 'E_PREFLIGHT: this machine is not ready to join:\n  ';

const other = authorityFiles('kubernetes');
const pinOf = (pem: string): string => readCertificates(pem)[0]?.pin ?? '';
const caError = (place: string): string =>
  `E_CERTS_CA: ${place} has CA key ${pinOf(other.certificate)}, but discovery verified ${pinOf(IDENTITY.ca)}`;
const download = (title: string, data: object | undefined, error: string, more: Partial<Fault> = {}): Fault => ({
  title,
  phase: downloadCerts,
  input: { identity: IDENTITY, certificateKey: KEY, clusterConfiguration: CLUSTER },
  machine: withSecret(data),
  error,
  ...more,
});
const refused = (status: number, message: string) => ({ machine: withSecret(undefined, { status, message }) });

export const secrets: Fault[] = [
  download('no Secret', undefined, `${SECRET}it does not exist, or no longer`),
  download(
    'a Secret whose key was replaced by a later upload',
    secretData({}, generateSealKey()),
    'E_CERTIFICATE_KEY: the certificate key does not decrypt ca.crt of Secret kube-system/kubeadm-certs: it was encrypted with another key, or changed',
  ),
  ...Object.keys(SHARED).map((path) =>
    download(
      `a Secret without ${path}`,
      secretData({ [path.replace('/', '-')]: undefined }),
      `${SECRET}it has no ${path.replace('/', '-')}`,
    ),
  ),
  download('a Secret with an empty certificate', secretData({ 'ca.crt': Buffer.from('') }), `${SECRET}ca.crt is empty`),
  download(
    'a value shorter than its nonce',
    secretData({ 'sa.key': Buffer.from('short') }),
    'E_CERTIFICATE_KEY: the certificate key does not decrypt sa.key of Secret kube-system/kubeadm-certs: it has only 5 bytes',
  ),
  download(
    'a value without an authentication tag',
    secretData({ 'sa.key': Buffer.alloc(20) }),
    'E_CERTIFICATE_KEY: the certificate key does not decrypt sa.key of Secret kube-system/kubeadm-certs: it has only 20 bytes',
  ),
  download(
    'a value that was changed',
    secretData({ 'sa.key': Buffer.alloc(200) }),
    'E_CERTIFICATE_KEY: the certificate key does not decrypt sa.key of Secret kube-system/kubeadm-certs: it was encrypted with another key, or changed',
  ),
  download(
    'a certificate that is none',
    secretData({ 'front-proxy-ca.crt': 'x' }),
    `${SECRET}front-proxy-ca.crt: it has no certificate`,
  ),
  download('a key that is none', secretData({ 'sa.key': 'x' }), `${SECRET}sa.key: it contains no private key`),
  download('a public key that is none', secretData({ 'sa.pub': 'x' }), `${SECRET}sa.pub: it has no public key`),
  download(
    'a CA with the key of another',
    secretData({ 'etcd-ca.key': other.key }),
    `${SECRET}etcd-ca.key is not the key of etcd-ca.crt`,
  ),
  download(
    'a CA that is not the verified one',
    secretData({ 'ca.crt': other.certificate, 'ca.key': other.key }),
    caError(`Secret kube-system/kubeadm-certs`),
  ),
  download(
    'a token that may not read the Secret',
    {},
    'E_API_FORBIDDEN: https://api.example:6443: not allowed to get secrets kubeadm-certs (HTTP 403): secrets "kubeadm-certs" is forbidden',
    refused(403, 'secrets "kubeadm-certs" is forbidden'),
  ),
  download(
    'an API server that is overloaded',
    {},
    'E_API_UNAVAILABLE: https://api.example:6443 cannot get secrets kubeadm-certs at the moment (HTTP 503): etcdserver: request timed out',
    refused(503, 'etcdserver: request timed out'),
  ),
  download(
    'a token that has expired',
    {},
    'E_API_UNAUTHORIZED: https://api.example:6443 rejected the credentials of this machine (HTTP 401); cannot get secrets kubeadm-certs',
    refused(401, 'Unauthorized'),
  ),
];

const certs = (title: string, changed: Record<string, string | undefined>, error: string): Fault => ({
  title,
  phase: controlPlaneCerts,
  input: { clusterConfiguration: EXTERNAL_ETCD, nodeName: 'cp2', advertiseAddress: ADDRESS },
  machine: controlPlaneMachine(changed),
  error,
});
const EXTERNAL_ETCD = { ...CLUSTER, etcd: { external: { endpoints: ['https://etcd.test:2379'] } } };
const shared = (title: string, changed: Record<string, string | undefined>, error: string, files = {}): Fault => ({
  title,
  phase: preflightControlPlane,
  input: { identity: IDENTITY, nodeName: 'cp2', clusterConfiguration: CLUSTER },
  machine: machineWith(changed, files),
  error,
});
function machineWith(changed: Record<string, string | undefined>, files: Record<string, string>) {
  const machine = controlPlaneMachine(changed);
  return { ...machine, services: { firewalld: {} }, files: { ...machine.files, ...files } };
}

export const onDisk: Fault[] = [
  shared('no CA', { 'ca.crt': undefined }, `${ON_DISK}${PKI}/ca.crt does not exist`),
  shared(
    'a CA that cannot be read',
    { 'etcd/ca.crt': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
    `${ON_DISK}${PKI}/etcd/ca.crt cannot be read: its bytes are not an X.509 certificate`,
  ),
  shared(
    'a certificate in the place of a CA',
    { 'front-proxy-ca.crt': apiServerPair({})['apiserver.crt'] },
    `${ON_DISK}${PKI}/front-proxy-ca.crt is not the certificate of a CA`,
  ),
  shared(
    'a CA with the key of another',
    { 'front-proxy-ca.key': other.key },
    `${ON_DISK}${PKI}/front-proxy-ca.key is not the key of ${PKI}/front-proxy-ca.crt`,
  ),
  shared('a CA of another cluster', { 'ca.crt': other.certificate, 'ca.key': other.key }, caError(`${PKI}/ca.crt`)),
  shared(
    'keys of service accounts that differ',
    { 'sa.key': other.key },
    `${ON_DISK}${PKI}/sa.pub is not the public key of sa.key`,
  ),
  shared(
    'data of another etcd',
    {},
    `${NOT_READY}[DirAvailable--var-lib-etcd] /var/lib/etcd is not empty: member\n    → If the data is not needed: rm -r /var/lib/etcd`,
    { '/var/lib/etcd/member/wal': '' },
  ),
  shared(
    'a port of etcd that is in use',
    {},
    `${NOT_READY}[Port-2379] port 2379 is in use\n    → Find the program: ss -ltnp sport = 2379`,
    { '/proc/net/tcp': '   0: 00000000:094B 00000000:0000 0A 0\n' },
  ),
  shared(
    'a manifest of an earlier control plane',
    {},
    `${NOT_READY}[FileAvailable--etc-kubernetes-manifests-etcd.yaml] /etc/kubernetes/manifests/etcd.yaml already exists\n    → This machine may be a control plane already. To see what is there: ls /etc/kubernetes/manifests`,
    { '/etc/kubernetes/manifests/etcd.yaml': '' },
  ),
  certs(
    'an expired certificate of the API server',
    apiServerPair({ toDays: -1 }),
    `${ON_DISK}${PKI}/apiserver.crt expired at 2026-03-03T05:06:07.000Z`,
  ),
  certs(
    'a certificate that is not valid yet',
    apiServerPair({ fromDays: 1, toDays: 9 }),
    `${ON_DISK}${PKI}/apiserver.crt is valid only from 2026-03-05T05:06:07.000Z on`,
  ),
  certs(
    'a certificate of another CA',
    apiServerPair({ caKey: other.key }),
    `${ON_DISK}${PKI}/apiserver.crt was not issued by kubernetes`,
  ),
  certs(
    'a certificate without the names of this machine',
    apiServerPair({ altNames: ['kubernetes'] }),
    `${ON_DISK}${PKI}/apiserver.crt is not valid for cluster.test, cp2, kubernetes.default, kubernetes.default.svc, kubernetes.default.svc.cluster.local, 10.96.0.1, 198.51.100.12`,
  ),
  certs(
    'a certificate with the key of another',
    { ...apiServerPair({}), 'apiserver.key': other.key },
    `${ON_DISK}${PKI}/apiserver.crt is not for the key beside it`,
  ),
  certs(
    'a certificate that cannot be read',
    { ...apiServerPair({}), 'apiserver.crt': 'x' },
    `${ON_DISK}${PKI}/apiserver.crt has no certificate`,
  ),
  certs(
    'a certificate without its key',
    { ...apiServerPair({}), 'apiserver.key': undefined },
    `${ON_DISK}${PKI}/apiserver.key does not exist`,
  ),
  certs(
    'no key of the CA, and no certificate',
    { 'ca.key': undefined },
    `${ON_DISK}${PKI}/apiserver.crt does not exist, and ${PKI}/ca.key, which could issue it, does not exist, ${PKI}/apiserver-kubelet-client.crt does not exist, and ${PKI}/ca.key, which could issue it, does not exist`,
  ),
  certs(
    'no key of service accounts',
    { 'sa.key': undefined, 'sa.pub': undefined },
    `${ON_DISK}${PKI}/sa.key, which must be the same on every control plane, does not exist`,
  ),
  {
    title: 'an admin.conf of another cluster',
    phase: controlPlaneKubeconfig,
    input: { clusterConfiguration: CLUSTER, advertiseAddress: ADDRESS },
    machine: machineWith({}, { '/etc/kubernetes/admin.conf': 'clusters: []\n' }),
    error: `${ON_DISK}/etc/kubernetes/admin.conf: it trusts another CA than the cluster has`,
  },
];

const DOWNLOADED = [
  'ca.crt',
  'ca.key',
  'front-proxy-ca.crt',
  'front-proxy-ca.key',
  'sa.pub',
  'sa.key',
  'etcd/ca.crt',
  'etcd/ca.key',
];
export const fullDisks: Fault[] = DOWNLOADED.map((path, index) => ({
  ...download(`a disk that is full when ${path} is written`, secretData(), ''),
  breaks: fullDiskAt(index + 1),
  error: `E_FILE: ${PKI}/${path}: no space is left on the device`,
}));
