/** A sandbox cluster that control planes can join: with uploaded certificates, and an etcd of one member. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { generateKeyPem, generateSealKey, publicKeyPem, seal } from '../../../engine/pki/index.ts';
import { type ClusterCa, createCa, issueKeyPair } from '../certificates.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../index.ts';
import { DEFAULT_PROFILE, type Profile, profiles } from '../profile.ts';
import { Containers } from './containers.ts';
import { type EtcdCluster, startEtcdCluster } from './etcd-cluster.ts';

export const FIRST_NAME = 'control-plane-1';
const PKI = '/etc/kubernetes/pki';
const TRIES_MAX = 20;

export interface ControlPlaneSandbox extends Sandbox {
  /** Decrypts the certificates in the cluster. */
  certificateKey: string;
  /** A loopback address for the machine that joins. */
  advertiseAddress: string;
  etcd: EtcdCluster;
  /** Path → content: what the first control plane has, and each other one needs. */
  sharedFiles: Record<string, string>;
  /** The containers of a machine, for its runtime. */
  containersOf(root: string): Containers;
}

export async function startControlPlaneSandbox(options: SandboxOptions = {}): Promise<ControlPlaneSandbox> {
  const { now = () => new Date(), profile = DEFAULT_PROFILE } = options;
  const network = await freeNetwork();
  const [first, advertiseAddress] = [`${network}.1`, `${network}.2`];
  const sandbox = await startSandbox({ ...options, controlPlaneAddress: advertiseAddress });
  const [etcdCa, frontProxyCa] = [caOf('etcd-ca', now()), caOf('front-proxy-ca', now())];
  const { etcdVersion, imageRepository }: Profile = profiles[profile];
  if (etcdVersion === undefined) throw new TypeError(`control planes cannot join a sandbox of ${profile}`);
  const etcd = await startEtcdCluster({
    name: FIRST_NAME,
    address: first,
    version: etcdVersion,
    ...servingPair(etcdCa, first, now()),
  });
  const sharedFiles = sharedBy(sandbox, etcdCa, frontProxyCa);
  const certificateKey = generateSealKey();
  storeCertificates(sandbox, certificateKey, sharedFiles);
  sandbox.store.create('pods', etcdPod(first, `${imageRepository}/etcd:${etcdVersion}-0`));
  const close = sandbox.close.bind(sandbox);
  return Object.assign(sandbox, {
    certificateKey,
    advertiseAddress,
    etcd,
    sharedFiles,
    containersOf: (root: string) => new Containers(root, sandbox, etcd),
    async close() {
      await etcd.close();
      await close();
    },
  });
}

const caOf = (commonName: string, now: Date): ClusterCa => createCa(now, { commonName, organizations: [] });

/** A network below 127.0.0.0/8 in which the port of etcd is free: each sandbox on this computer has its own. */
async function freeNetwork(): Promise<string> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const network = `127.${randomInt(1, 255)}.${randomInt(256)}`;
    const probe = createServer().listen(2379, `${network}.1`);
    const isFree = await once(probe, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    probe.close();
    await once(probe, 'close');
    return network;
  }
  throw new Error('port 2379 is in use at all loopback addresses that were tried');
}

function servingPair(ca: ClusterCa, address: string, now: Date) {
  const name = { commonName: FIRST_NAME, organizations: [] };
  return { ...issueKeyPair(ca, now, name, 'server', [FIRST_NAME, 'localhost', address, '127.0.0.1']), ca: ca.cert };
}

function sharedBy({ caPem, caKeyPem }: Sandbox, etcdCa: ClusterCa, frontProxyCa: ClusterCa): Record<string, string> {
  const serviceAccountKey = generateKeyPem();
  return {
    [`${PKI}/ca.crt`]: caPem,
    [`${PKI}/ca.key`]: caKeyPem,
    [`${PKI}/front-proxy-ca.crt`]: frontProxyCa.cert,
    [`${PKI}/front-proxy-ca.key`]: frontProxyCa.key,
    [`${PKI}/etcd/ca.crt`]: etcdCa.cert,
    [`${PKI}/etcd/ca.key`]: etcdCa.key,
    [`${PKI}/sa.key`]: serviceAccountKey,
    [`${PKI}/sa.pub`]: publicKeyPem(serviceAccountKey),
  };
}

/** Like `kubeadm init phase upload-certs --upload-certs`. */
function storeCertificates({ store }: Sandbox, key: string, files: Record<string, string>): void {
  const data = Object.entries(files).map(([path, content]) => [
    path.slice(PKI.length + 1).replace('/', '-'),
    seal(key, Buffer.from(content)).toString('base64'),
  ]);
  store.create('secrets', {
    metadata: { name: 'kubeadm-certs', namespace: 'kube-system' },
    data: Object.fromEntries(data),
  });
}

const etcdPod = (address: string, image: string) => ({
  metadata: {
    name: `etcd-${FIRST_NAME}`,
    namespace: 'kube-system',
    labels: { component: 'etcd', tier: 'control-plane' },
    annotations: { 'kubeadm.kubernetes.io/etcd.advertise-client-urls': `https://${address}:2379` },
  },
  spec: { containers: [{ name: 'etcd', image }] },
});
