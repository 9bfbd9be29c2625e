/** The stand-ins for the three other programs of a control plane. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import { generateKeyPem, issueCertificate, publicKeyDer, publicKeyPem } from '../../../engine/pki/index.ts';
import type { KeyPair } from '../certificates.ts';
import type { Sandbox } from '../index.ts';
import { readClient } from '../machine/kubelet-identity.ts';
import { assertFor, type Container, type Running } from './container.ts';
import type { EtcdCluster } from './etcd-cluster.ts';

const HOUR_MS = 3_600_000;

/** The API of the sandbox at the address of the machine. It needs etcd, and refuses to start without it. */
export async function startApiServer(container: Container, sandbox: Sandbox, etcd: EtcdCluster): Promise<Running> {
  const ca = await container.file('client-ca-file');
  if (ca.trim() !== sandbox.caPem.trim()) throw new Error('--client-ca-file is not the CA of the cluster');
  const { certificate, ...pair } = await container.keyPair('tls-cert-file', 'tls-private-key-file', ca);
  const address = container.flag('advertise-address');
  assertFor(certificate, address);
  await container.keyPair('kubelet-client-certificate', 'kubelet-client-key', ca);
  const frontProxyCa = await container.file('requestheader-client-ca-file');
  await container.keyPair('proxy-client-cert-file', 'proxy-client-key-file', frontProxyCa);
  const signing = await container.file('service-account-signing-key-file');
  if (publicKeyPem(signing).trim() !== (await container.file('service-account-key-file')).trim())
    throw new Error('--service-account-key-file is not the public key of --service-account-signing-key-file');
  await container.keyPair('etcd-certfile', 'etcd-keyfile', etcd.ca);
  if ((await container.file('etcd-cafile')).trim() !== etcd.ca.trim())
    throw new Error('--etcd-cafile is not the CA of etcd');
  const servers = container.flag('etcd-servers').split(',');
  // The loopback address of the machine is its advertise address here: all machines share that of this computer.
  const urls = servers.map((url) => url.replace(/127\.0\.0\.1|\[::1\]/, address));
  if (!urls.some((url) => etcd.isServing(url)))
    throw new Error(`unable to create storage backend: ${servers.join()}: etcd does not serve requests`);
  const listener = await sandbox.serveAt({ host: address, port: Number(container.flag('secure-port')), pair });
  return { stop: () => listener.close() };
}

const HEALTHY: Record<string, readonly string[]> = {
  'kube-controller-manager': ['/healthz'],
  'kube-scheduler': ['/healthz', '/livez', '/readyz'],
};
const PORTS: Record<string, number> = { 'kube-controller-manager': 10_257, 'kube-scheduler': 10_259 };

/** The controller manager or the scheduler: it reads its kubeconfigs, and answers questions about its health. */
export async function startController(container: Container, program: string, sandbox: Sandbox): Promise<Running> {
  for (const flag of ['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig']) {
    const identity = await readClient(await container.file(flag), new Date(), noFile);
    if (identity.ca.trim() !== sandbox.caPem.trim()) throw new Error(`--${flag} has the CA of another cluster`);
    if (identity.commonName !== `system:${program}`) throw new Error(`--${flag} belongs to ${identity.commonName}`);
  }
  if (program === 'kube-controller-manager') await checkFiles(container, sandbox);
  const port = Number(container.optionalFlag('secure-port') ?? PORTS[program]);
  return serveHealth({ host: container.flag('bind-address'), port }, HEALTHY[program] ?? []);
}

/** kubeadm embeds the certificates. */
const noFile = (path: string): Promise<never> => Promise.reject(new Error(`open ${path}: no such file or directory`));

async function checkFiles(container: Container, { caPem }: Sandbox): Promise<void> {
  await container.keyPair('cluster-signing-cert-file', 'cluster-signing-key-file', caPem);
  if ((await container.file('root-ca-file')).trim() !== caPem.trim())
    throw new Error('--root-ca-file is not the CA of the cluster');
  publicKeyPem(await container.file('service-account-private-key-file'));
}

async function serveHealth({ host, port }: { host: string; port: number }, paths: readonly string[]): Promise<Running> {
  const server: Server = createServer(selfSigned(), (request, response) => {
    const isHealthy = paths.includes(request.url ?? '');
    response.writeHead(isHealthy ? 200 : 404).end(isHealthy ? 'ok' : '404 page not found\n');
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Like the real ones, which create a certificate when they start. */
function selfSigned(): KeyPair {
  const key = generateKeyPem();
  const now = Date.now();
  const cert = issueCertificate({
    subject: { commonName: 'localhost', organizations: [] },
    publicKey: publicKeyDer(key),
    signingKey: key,
    use: 'server',
    altNames: ['localhost', '127.0.0.1'],
    notBefore: new Date(now - HOUR_MS),
    notAfter: new Date(now + 24 * HOUR_MS),
  });
  return { cert, key };
}
