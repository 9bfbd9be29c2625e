/** The CAs and keys that the control planes of a cluster share, and machines that have them. */
import {
  generateKeyPem,
  issueCertificate,
  type KeyAlgorithm,
  publicKeyDer,
  publicKeyPem,
} from '../../engine/pki/index.ts';
import type { MemoryMachine } from '../../engine/testing/memory-host.ts';
import { authority, DAY_MS, NOW } from './cluster.ts';

export const PKI = '/etc/kubernetes/pki';
export const ADDRESS = '198.51.100.12';
/** What a v1beta4 ClusterConfiguration has at least. */
export const CONFIGURATION = {
  apiVersion: 'kubeadm.k8s.io/v1beta4',
  kind: 'ClusterConfiguration',
  kubernetesVersion: 'v1.36.2',
  controlPlaneEndpoint: 'cluster.test:6443',
  imageRepository: 'registry.k8s.io',
  networking: { serviceSubnet: '10.96.0.0/12', dnsDomain: 'cluster.local' },
};

/** A CA and its key. */
export function authorityFiles(commonName: string, algorithm?: KeyAlgorithm) {
  const { pem: certificate, key } = authority(commonName, algorithm);
  return { certificate, key };
}

const [CA, FRONT_PROXY, ETCD] = ['kubernetes', 'front-proxy-ca', 'etcd-ca'].map((name) => authorityFiles(name));
const SERVICE_ACCOUNT_KEY = generateKeyPem();

/** By path below the directory of the certificates. */
export const SHARED: Record<string, string> = {
  'ca.crt': CA?.certificate ?? '',
  'ca.key': CA?.key ?? '',
  'front-proxy-ca.crt': FRONT_PROXY?.certificate ?? '',
  'front-proxy-ca.key': FRONT_PROXY?.key ?? '',
  'etcd/ca.crt': ETCD?.certificate ?? '',
  'etcd/ca.key': ETCD?.key ?? '',
  'sa.key': SERVICE_ACCOUNT_KEY,
  'sa.pub': publicKeyPem(SERVICE_ACCOUNT_KEY),
};

/** A certificate of the API server and its key, valid between two days from now. `caKey`: the key of another CA. */
export function apiServerPair({
  altNames = [] as string[],
  fromDays = -2,
  toDays = 1,
  caKey = SHARED['ca.key'] ?? '',
}): { 'apiserver.crt': string; 'apiserver.key': string } {
  const key = generateKeyPem();
  const certificate = issueCertificate({
    subject: { commonName: 'kube-apiserver', organizations: [] },
    publicKey: publicKeyDer(key),
    issuer: { commonName: 'kubernetes', organizations: [] },
    signingKey: caKey,
    use: 'server',
    altNames,
    notBefore: new Date(NOW.getTime() + fromDays * DAY_MS),
    notAfter: new Date(NOW.getTime() + toDays * DAY_MS),
  });
  return { 'apiserver.crt': certificate, 'apiserver.key': key };
}

/** A machine with the shared files; `changed` replaces some of them, or removes them with undefined. */
export function controlPlaneMachine(changed: Record<string, string | undefined> = {}): MemoryMachine {
  const files = Object.entries({ ...SHARED, ...changed }).flatMap(([name, content]) =>
    content === undefined ? [] : [[`${PKI}/${name}`, content]],
  );
  const directories = ['/etc/kubernetes', PKI, `${PKI}/etcd`, '/usr/share/ca-certificates', '/etc/ca-certificates'];
  return {
    now: () => NOW,
    directories: [...directories, '/usr/local/share/ca-certificates'],
    files: Object.fromEntries(files) as Record<string, string>,
  };
}

/** admin.conf as kubeadm writes it, for the cluster of that CA. */
export function adminConf(ca: string, { pem, keyPem }: { pem: string; keyPem: string }): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const cluster = { server: 'https://cluster.test:6443', 'certificate-authority-data': base64(ca) };
  const user = { 'client-certificate-data': base64(pem), 'client-key-data': base64(keyPem) };
  return JSON.stringify({
    clusters: [{ name: 'kubernetes', cluster }],
    contexts: [{ name: 'admin', context: { cluster: 'kubernetes', user: 'admin' } }],
    'current-context': 'admin',
    users: [{ name: 'admin', user }],
  });
}
