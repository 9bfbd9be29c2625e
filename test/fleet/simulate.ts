/**
 * A rollout of simulated machines: scratch roots, real `join` processes, and one sandbox cluster.
 *
 *   npx tsx test/fleet/simulate.ts hosts=100 parallel=8 reject=10 dead=5 budget=5 kills=4
 *
 * `reject`: percentage of the requests to the API that are answered 429. `dead`: hosts that cannot be reached. `kills`:
 * how often the operator or its server is killed. Prints what the rollout did, and what it cost.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FleetStatus } from '../../engine/fleet/status.ts';
import { type Sandbox, startSandbox } from '../../plugins/sandbox/index.ts';
import { makeMachine, stopMachine } from '../../plugins/sandbox/machine/machine.ts';
import { startRuntime } from '../../plugins/sandbox/machine/runtime.ts';
import { PROJECT } from '../helpers/sources.ts';

const OWN = [process.execPath, join(PROJECT, 'bin/join.cjs')];
const PATCHES = '/etc/joinery/patches';

const options = { hosts: 12, parallel: 4, reject: 0, dead: 0, budget: 0, kills: 0, killMs: 5_000 };
for (const word of process.argv.slice(2)) {
  const [name = '', value] = word.split('=');
  if (!Object.hasOwn(options, name)) throw new Error(`there is no option ${name}`);
  options[name as keyof typeof options] = Number(value);
}

const folder = await mkdtemp(join(tmpdir(), 'fleet-'));
const sandbox = await startSandbox();
const runtimes: { close(): Promise<void> }[] = [];
const names = Array.from({ length: options.hosts }, (_, number) => `w${number + 1}`);
for (const name of names) await scratchMachine(name);
if (options.reject > 0) rejectSome(sandbox, Math.round(100 / options.reject));
await writeFile(join(folder, 'admin.conf'), sandbox.adminKubeconfig, { mode: 0o600 });
await writeFile(join(folder, 'fleet.yaml'), document());
try {
  await simulate();
} finally {
  await Promise.allSettled(names.map((name) => stopMachine(join(folder, name))));
  await Promise.allSettled(runtimes.map((runtime) => runtime.close()));
  await sandbox.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

async function scratchMachine(name: string): Promise<void> {
  const root = join(folder, name);
  await mkdir(root);
  await makeMachine(root, { hostName: name, kubelet: [...OWN, 'sandbox', 'kubelet'] });
  const patch = join(root, PATCHES, 'kubeletconfiguration+merge.yaml');
  await mkdir(dirname(patch), { recursive: true });
  await writeFile(patch, `healthzPort: ${await freePort()}\n`);
  runtimes.push(await startRuntime(root, { cgroupDriver: 'systemd' }));
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

/** One of `every` requests is answered 429. */
function rejectSome({ faults }: Sandbox, every: number): void {
  const add = () => faults.add({ effect: 'tooManyRequests', after: every - 1, retryAfterSeconds: 1, onTriggered: add });
  add();
}

/** Dead hosts have no root. */
function document(): string {
  const rootOf = (number: number): string => (number < options.dead ? '/none/{name}' : `${folder}/{name}`);
  const hosts = names.map((name, number) => {
    return `  - { name: ${name}, transport: { root: "${rootOf(number)}" }, variables: { patches: ${PATCHES} } }`;
  });
  return [
    'apiVersion: joinery.dev/v1',
    'kind: Fleet',
    'metadata: { name: simulated }',
    'cluster: { kubeconfig: admin.conf }',
    `transport: { kind: local, root: "${folder}/{name}" }`,
    'hosts:',
    ...hosts,
    'rollout:',
    '  waves: [1, 10%, rest]',
    `  maxParallel: ${options.parallel}`,
    `  failureBudget: ${options.budget}`,
    '  onBudgetExceeded: stop',
    '',
  ].join('\n');
}

async function simulate(): Promise<void> {
  const startedMs = performance.now();
  const stopped = new Set<string>();
  let memory: Memory = { operator: 0, server: 0 };
  let last: FleetStatus | undefined;
  let kills = 0;
  for (;;) {
    const operator = startOperator();
    const lines = createInterface({ input: operator.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => {
      last = JSON.parse(line) as FleetStatus;
      for (const { name, state } of last.hosts)
        if (state === 'joined' && !stopped.has(name)) {
          stopped.add(name);
          void stopMachine(join(folder, name)).catch(() => undefined); // a thousand kubelets need too much memory
        }
    });
    const ended = once(operator, 'exit');
    const look = setInterval(() => (memory = largest(memory, memoryOf(operator))), 500);
    const killing = kills < options.kills ? sleep(options.killMs * (0.5 + Math.random())) : ended;
    await Promise.race([ended, killing]);
    clearInterval(look);
    if (operator.exitCode !== null) break;
    const server =
      kills++ % 2 === 1 ? childrenOf(operator).find((pid) => programOf(pid).endsWith('restate-server')) : undefined;
    if (server !== undefined) process.kill(server, 'SIGKILL');
    operator.kill('SIGKILL');
    await ended;
  }
  report(last, (performance.now() - startedMs) / 1000, memory, kills);
}

function startOperator(): ChildProcess {
  return spawn(OWN[0] ?? '', [...OWN.slice(1), 'fleet', 'run', join(folder, 'fleet.yaml'), '-o', 'jsonl'], {
    env: { ...process.env, XDG_STATE_HOME: join(folder, 'state') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function report(status: FleetStatus | undefined, seconds: number, memory: Memory, kills: number): void {
  if (status === undefined) throw new Error('the rollout has no status');
  const durations = status.hosts
    .filter(({ state }) => state === 'joined')
    .map(({ startedAt = '', endedAt = '' }) => (Date.parse(endedAt) - Date.parse(startedAt)) / 1000)
    .sort((a, b) => a - b);
  const quantile = (part: number) => durations[Math.ceil(part * durations.length) - 1];
  const counts: Record<string, number> = {};
  for (const { state } of status.hosts) counts[state] = (counts[state] ?? 0) + 1;
  for (const { name, step, error, attempts } of status.hosts)
    if (error !== undefined) console.log(JSON.stringify({ name, step, attempts, ...error }));
  const nodes = sandbox.store.list('nodes').length;
  const tokens =
    sandbox.store.list('secrets').filter(({ type }) => type === 'bootstrap.kubernetes.io/token').length - 1;
  console.log(JSON.stringify({ ...options, state: status.state, reason: status.reason, counts, kills, seconds }));
  console.log(
    JSON.stringify({
      joinsPerSecond: status.joinsPerSecond,
      p50: quantile(0.5),
      p99: quantile(0.99),
      memory,
      nodes,
      tokens,
    }),
  );
}

/** Of /proc, in MB: the most memory that the process had. */
function peakOf(pid: number | undefined): number {
  try {
    const [, kib = '0'] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Math.round(Number(kib) / 1024);
  } catch {
    return 0; // it has ended
  }
}

interface Memory {
  operator: number;
  server: number;
}

function memoryOf(operator: ChildProcess): Memory {
  const server = childrenOf(operator).find((pid) => programOf(pid).endsWith('restate-server'));
  return { operator: peakOf(operator.pid), server: peakOf(server) };
}

function largest(a: Memory, b: Memory): Memory {
  return { operator: Math.max(a.operator, b.operator), server: Math.max(a.server, b.server) };
}

function childrenOf({ pid }: ChildProcess): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && partOf(name, 'stat').split(') ')[1]?.split(' ')[1] === String(pid))
    .map(Number);
}

function programOf(pid: number): string {
  return partOf(String(pid), 'cmdline').split('\0')[0] ?? '';
}

function partOf(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // it has ended
  }
}
