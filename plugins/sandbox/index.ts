/**
 * The sandbox: a Kubernetes control plane inside this process, for demonstrations and tests of joins. It is a test
 * double: it keeps objects in memory and runs no Pods. It does not prove how a real cluster behaves.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Authenticator } from './api/authentication.ts';
import { Faults } from './api/faults.ts';
import { allowApproval, denyApproval, isApprovalAllowed } from './api/rbac.ts';
import { type Listener, listen } from './api/server.ts';
import { createCa, issueKeyPair, type KeyPair } from './certificates.ts';
import { installCluster } from './cluster.ts';
import { bootstrapSigner } from './controllers/bootstrap-signer.ts';
import { randomToken } from './controllers/bootstrap-token.ts';
import { runControllers } from './controllers/controllers.ts';
import { csrApprover } from './controllers/csr-approver.ts';
import { csrSigner } from './controllers/csr-signer.ts';
import { tokenCleaner } from './controllers/token-cleaner.ts';
import { adminKubeconfig } from './kubeconfig.ts';
import { DEFAULT_PROFILE, type ProfileName, profiles } from './profile.ts';
import { Store } from './store.ts';

export type { Effect, Fault } from './api/fault.ts';
export type { Faults } from './api/faults.ts';
export type { KeyPair } from './certificates.ts';
export type { RequestRecord, Store } from './store.ts';

export interface SandboxOptions {
  /** Default: a random token. */
  token?: string;
  /** Default: true. */
  autoApprove?: boolean;
  /** Default: the newest. */
  profile?: ProfileName;
  /** Port of the kubelets' health check. Default: a free port. */
  kubeletPorts?: { healthz: number };
  /** Address at which the controller manager and the scheduler of a joining control plane listen. */
  controlPlaneAddress?: string;
  /** The cluster's clock: certificates, tokens and the Date header follow it. */
  now?: () => Date;
}

export interface Sandbox {
  /** `127.0.0.1:PORT` */
  endpoint: string;
  token: string;
  caPem: string;
  /** Key of the CA. Tests use it to issue wrong certificates: expired ones, or for other names. */
  caKeyPem: string;
  /** `sha256:<hex>`, the value of `--discovery-token-ca-cert-hash`. */
  caPin: string;
  /** YAML with a client certificate of the group system:masters. */
  adminKubeconfig: string;
  faults: Faults;
  store: Store;
  /** Whether kubelets' CSRs are approved automatically. Setting it creates or deletes the RBAC bindings. */
  autoApprove: boolean;
  /** New connections get this certificate. */
  serveWith(pair: KeyPair): void;
  /** Another API server of this cluster. */
  serveAt(server: ServedAt): Promise<Pick<Listener, 'close'>>;
  /** Closes all connections and timers. */
  close(): Promise<void>;
}

export interface ServedAt {
  host: string;
  port: number;
  pair: KeyPair;
}

export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { token = randomToken(), autoApprove = true, profile = DEFAULT_PROFILE, now = () => new Date() } = options;
  const healthzPort = options.kubeletPorts?.healthz ?? (await freePort());
  const ca = createCa(now());
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
  const { controlPlaneAddress } = options;
  const facts = { server, caPem: ca.cert, token, profile: profiles[profile], healthzPort, now: now() };
  installCluster(store, { ...facts, controlPlaneAddress });
  if (!autoApprove) denyApproval(store);
  const { gitVersion, served } = profiles[profile];
  let admin: string | undefined; // created on first use
  const others = new Set<Listener>();
  const handleAt = (at: Listener) =>
    at.handle({ store, now, gitVersion, server, served }, new Authenticator(store, ca.cert, now), faults);
  handleAt(listener);
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
      if (allowed) allowApproval(store);
      else denyApproval(store);
    },
    serveWith: listener.serveWith,
    async serveAt({ pair, ...at }) {
      const other = await listen(pair, ca.cert, at);
      others.add(other);
      handleAt(other);
      return other;
    },
    async close() {
      stopControllers();
      cleaner.stop();
      for (const each of [listener, ...others]) await each.close();
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
