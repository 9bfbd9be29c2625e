/** The Restate server beside the operator: started with it, started again if it dies, and ended with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../../limits/timers.ts';
import { fail } from '../../sdk/errors.ts';
import { ask, type Endpoint } from './client.ts';
import { publicIdentity } from './identity.ts';

export interface RestateServer {
  /** Accepts requests to services. */
  ingress: Endpoint;
  /** Accepts requests about deployments. */
  admin: Endpoint;
  /** The public key of the server, with which it signs its requests to the operator. Undefined: not known. */
  identity: string | undefined;
  close(): Promise<void>;
}

const NODE = 'fleet';
const START_TIMEOUT_MS = 30_000;
const LOOK_MS = 100;
/** A server that dies more often than this is broken. */
const RESTARTS_MAX = 20;

/** `folder` belongs to the operator alone. No other user can reach the sockets in it. E_FLEET_SERVER. */
export async function startServer(program: string, folder: string): Promise<RestateServer> {
  const base = join(folder, 'restate');
  mkdirSync(base, { recursive: true, mode: 0o700 });
  const key = join(folder, 'identity.pem');
  if (!existsSync(key)) {
    const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(`${key}.new`, pem, { mode: 0o600 });
    renameSync(`${key}.new`, key); // a kill in between leaves no half of a key
  }
  const config = join(folder, 'restate.toml');
  writeFileSync(config, configuration(key), { mode: 0o600 });
  const server = new Server(program, folder, ['--no-logo', '--base-dir', base, '--config-file', config]);
  const socket = (name: string): Endpoint => ({ socketPath: join(base, NODE, `${name}.sock`) });
  const started = { ingress: socket('ingress'), admin: socket('admin'), identity: publicIdentity(key) };
  await server.start(started);
  return { ...started, close: () => server.close() };
}

/** Only Unix sockets, little memory, and retries for as long as the operator is away. */
const configuration = (key: string): string => `cluster-name = "joinery-fleet"
node-name = "${NODE}"
listen-mode = "unix"
default-num-partitions = 4
rocksdb-total-memory-size = "128 MB"
disable-telemetry = true
log-filter = "warn"
log-disable-ansi-codes = true
[default-retry-policy]
initial-interval = "100ms"
max-interval = "2s"
max-attempts = "unlimited"
[worker.invoker]
request-identity-private-key-pem-file = ${JSON.stringify(key)}
[admin]
disable-web-ui = true
`;

class Server {
  readonly #program: string;
  readonly #args: string[];
  readonly #log: string;
  #child: ChildProcess | undefined;
  #guard: ChildProcess | undefined;
  #isClosing = false;
  #restarts = 0;

  constructor(program: string, folder: string, args: string[]) {
    this.#program = program;
    this.#args = args;
    this.#log = join(folder, 'restate.log');
  }

  async start(at: { ingress: Endpoint; admin: Endpoint }): Promise<void> {
    this.#spawn();
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (Date.now() < deadline) {
      if (this.#restarts > RESTARTS_MAX) break;
      const isReady = await Promise.all([
        ask(at.admin, 'GET', '/health'),
        ask(at.ingress, 'GET', '/restate/health'),
      ]).then(
        () => true,
        () => false,
      );
      if (isReady) return;
      await sleep(LOOK_MS);
    }
    await this.close();
    throw fail('E_FLEET_SERVER', { what: `${this.#program} does not start; see ${this.#log}` });
  }

  #spawn(): void {
    const log = openSync(this.#log, 'a', 0o600);
    // In a session of its own, so that Ctrl-C at the terminal does not end it before the operator.
    const child = spawn(this.#program, this.#args, {
      stdio: ['ignore', log, log],
      detached: true,
      env: { ...process.env, DO_NOT_TRACK: '1', RUST_BACKTRACE: '0' },
    });
    closeSync(log);
    child.once('exit', () => void this.#exited()).once('error', () => (this.#restarts = RESTARTS_MAX + 1));
    this.#child = child;
    if (child.pid !== undefined) this.#guard = guardOf(child.pid);
  }

  async #exited(): Promise<void> {
    this.#guard?.kill('SIGKILL');
    if (this.#isClosing || ++this.#restarts > RESTARTS_MAX) return;
    await sleep(LOOK_MS);
    if (!this.#isClosing) this.#spawn();
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    const child = this.#child;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const late = sleep(START_TIMEOUT_MS).then(() => child.kill('SIGKILL'));
    await Promise.race([ended, late]);
    await ended;
  }
}

/** Ends the process `pid` when this process is gone, even by SIGKILL: then the standard input of the guard ends. */
function guardOf(pid: number): ChildProcess {
  const guard = spawn('/bin/sh', ['-c', 'read -r _; kill "$1" 2>/dev/null', 'joinery-fleet', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  return guard;
}
