/**
 * The sandbox: a Kubernetes control plane inside this process, to try, test and teach joining with. It is a test double:
 * it keeps objects in memory, runs no Pods, and must never be taken for proof of how a cluster behaves.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Authenticator } from './api/authentication.ts';
import { Faults } from './api/faults.ts';
import { allowApproval, isApprovalAllowed } from './api/rbac.ts';
import { listen } from './api/server.ts';
import { issueKeyPair, type KeyPair, makeCa } from './certificates.ts';
import { installCluster } from './cluster.ts';
import { bootstrapSigner } from './controllers/bootstrap-signer.ts';
import { randomToken } from './controllers/bootstrap-token.ts';
import { runControllers } from './controllers/controllers.ts';
import { csrApprover } from './controllers/csr-approver.ts';
import { csrSigner } from './controllers/csr-signer.ts';
import { tokenCleaner } from './controllers/token-cleaner.ts';
import { adminKubeconfig } from './kubeconfig.ts';
import { type ProfileName, profiles } from './profile.ts';
import { Store } from './store.ts';

export type { Effect, Fault } from './api/fault.ts';
export type { Faults } from './api/faults.ts';
export type { KeyPair } from './certificates.ts';
export type { RequestRecord, Store } from './store.ts';

export interface SandboxOptions {
  /** Left out: a random one. */
  token?: string;
  /** Left out: true. */
  autoApprove?: boolean;
  /** Left out: 1.20. */
  profile?: ProfileName;
  /** Where kubelets of this cluster say that they are healthy. Left out: a port that was free at start. */
  kubeletPorts?: { healthz: number };
  /** The cluster's clock: certificates, tokens and the Date header follow it. */
  now?: () => Date;
}

export interface Sandbox {
  /** `127.0.0.1:PORT` */
  endpoint: string;
  token: string;
  caPem: string;
  /** With it, tests issue what a cluster's CA would have to: expired certificates, certificates for other names. */
  caKeyPem: string;
  /** `sha256:<hex>`: what `--discovery-token-ca-cert-hash` takes. */
  caPin: string;
  /** YAML, with a client certificate of system:masters inside. */
  adminKubeconfig: string;
  faults: Faults;
  store: Store;
  /** Whether the bindings that let kubelets' CSRs be approved exist; setting it makes or deletes them. */
  autoApprove: boolean;
  /** Connections made from now on see this certificate. */
  serveWith(pair: KeyPair): void;
  /** Ends every connection and timer. */
  close(): Promise<void>;
}

export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { token = randomToken(), autoApprove = true, profile = '1.20', now = () => new Date() } = options;
  const healthzPort = options.kubeletPorts?.healthz ?? (await freePort());
  const ca = makeCa(now());
  const serving = issueKeyPair(ca, now(), { commonName: 'kube-apiserver', organizations: [] }, 'server', [
    '127.0.0.1',
    'localhost',
  ]);
  const listener = await listen(serving, ca.cert);
  const endpoint = `127.0.0.1:${listener.port}`;
  const server = `https://${endpoint}`;
  const store = new Store(now);
  const faults = new Faults();
  const cleaner = tokenCleaner(store, now);
  const stopControllers = runControllers(store, [
    bootstrapSigner(store, now),
    cleaner,
    csrApprover(store, now),
    csrSigner(store, ca, now),
  ]);
  installCluster(store, { server, caPem: ca.cert, token, profile: profiles[profile], healthzPort, now: now() });
  if (!autoApprove) allowApproval(store, false);
  const { gitVersion, served } = profiles[profile];
  let admin: string | undefined; // made for who asks
  listener.handle({ store, now, gitVersion, server, served }, new Authenticator(store, ca.cert, now), faults);
  return {
    endpoint,
    token,
    caPem: ca.cert,
    caKeyPem: ca.key,
    caPin: ca.pin,
    get adminKubeconfig() {
      admin ??= adminKubeconfig(server, ca, now());
      return admin;
    },
    faults,
    store,
    get autoApprove() {
      return isApprovalAllowed(store);
    },
    set autoApprove(allowed) {
      allowApproval(store, allowed);
    },
    serveWith: listener.serveWith,
    async close() {
      stopControllers();
      cleaner.stop();
      await listener.close();
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo; // an object: it listens on TCP
  probe.close();
  await once(probe, 'close');
  return port;
}
