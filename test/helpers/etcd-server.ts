/** Real members of an etcd on this machine, with TLS on free ports. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { generateKeyPem, issueCertificate, publicKeyDer } from '../../engine/pki/index.ts';
import { type EtcdAccess, Secret } from '../../engine/sdk/index.ts';

export const hasEtcd = spawnSync('etcd', ['--version']).status === 0;

export interface RunningMember {
  name: string;
  peerUrl: string;
  clientUrl: string;
}

const HOUR_MS = 3_600_000;

export class EtcdServers {
  readonly directory = mkdtempSync('/tmp/joinery-etcd-');
  readonly access: EtcdAccess;
  readonly members: RunningMember[] = [];
  readonly #processes = new Map<string, ChildProcess>();

  constructor() {
    const ca = this.#issue('ca', { use: 'ca' });
    const client = this.#issue('client', { use: 'server and client', signedBy: ca });
    for (const [name, text] of Object.entries({ 'ca.crt': ca.pem, 'client.crt': client.pem, 'client.key': client.key }))
      writeFileSync(join(this.directory, name), text);
    const certificate = { pem: client.pem, key: new Secret(client.key) };
    this.access = { endpoints: [], ca: ca.pem, certificate };
  }

  /** A client whose certificate another CA has issued. */
  stranger(): EtcdAccess {
    const client = this.#issue('client', { use: 'client', signedBy: this.#issue('ca', { use: 'ca' }) });
    return { ...this.access, certificate: { pem: client.pem, key: new Secret(client.key) } };
  }

  /** Addresses of a member, on ports that are free now. */
  async plan(name: string): Promise<RunningMember> {
    const [peer, client] = await Promise.all([freePort(), freePort()]);
    return { name, peerUrl: `https://127.0.0.1:${peer}`, clientUrl: `https://127.0.0.1:${client}` };
  }

  /** Starts the first member, or one that was added. */
  async start(member: RunningMember): Promise<void> {
    const { name, peerUrl, clientUrl } = member;
    const data = join(this.directory, name);
    const isFirst = this.members.length === 0;
    const others = this.members.filter((other) => other.name !== name);
    if (others.length === this.members.length) this.members.push(member);
    const [crt, key, ca] = ['client.crt', 'client.key', 'ca.crt'].map((file) => join(this.directory, file));
    const initial = [...others, member].map((each) => `${each.name}=${each.peerUrl}`).join(',');
    const flags = [
      ...['--name', name, '--data-dir', data, '--initial-cluster', initial, '--log-level', 'error'],
      ...['--initial-cluster-state', isFirst ? 'new' : 'existing', '--unsafe-no-fsync'],
      ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
      ...['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl],
      ...['--cert-file', crt, '--key-file', key, '--trusted-ca-file', ca, '--client-cert-auth'],
      ...['--peer-cert-file', crt, '--peer-key-file', key, '--peer-trusted-ca-file', ca, '--peer-client-cert-auth'],
    ] as string[];
    this.#processes.set(name, spawn('etcd', flags, { stdio: 'ignore' }));
    for (let tries = 0; tries < 100 && !existsSync(join(data, 'member', 'wal')); tries++)
      await new Promise((resolve) => setTimeout(resolve, 50));
  }

  /** Stops the process of a member, which stays a member. */
  async stop(name: string): Promise<void> {
    const process = this.#processes.get(name);
    if (process === undefined || process.exitCode !== null) return;
    const ended = new Promise((resolve) => process.once('exit', resolve));
    process.kill('SIGKILL');
    await ended;
  }

  async end(): Promise<void> {
    for (const name of this.#processes.keys()) await this.stop(name);
    rmSync(this.directory, { recursive: true, force: true });
  }

  #issue(commonName: string, { use, signedBy }: { use: 'ca' | 'client' | 'server and client'; signedBy?: Issued }) {
    const key = generateKeyPem('ECDSA-P256');
    const pem = issueCertificate({
      subject: { commonName, organizations: [] },
      ...(signedBy && { issuer: { commonName: 'ca', organizations: [] }, altNames: ['127.0.0.1'] }),
      publicKey: publicKeyDer(key),
      signingKey: signedBy?.key ?? key,
      use,
      notBefore: new Date(Date.now() - HOUR_MS),
      notAfter: new Date(Date.now() + 10 * HOUR_MS),
    });
    return { pem, key };
  }
}

interface Issued {
  pem: string;
  key: string;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
