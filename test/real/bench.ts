/**
 * Runs the same join with kubeadm and Joinery in turn, each on a fresh machine of one cluster, and measures it from
 * outside: `npx tsx test/real/bench.ts [runs=5] [joiners=kubeadm,joinery] [--json FILE] [--document FILE]`. A joiner
 * can have flags: `"joinery --wait registered"`. The joiner `executable` is skipped if it is not built.
 */
import { existsSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:https';
import { loadavg } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import pjson from '../../package.json' with { type: 'json' };
import { table, writeSection } from '../bench/report.ts';
import { type Cluster, cleanUp, type Machine, missing, projectRoot, startCluster, startMachine } from './rig.ts';

const figures = [
  'identity s',
  'kubelet start s',
  'registered s',
  'end s',
  'end - registered s',
  'cpu s',
  'peak MB',
] as const;
type Measured = Record<(typeof figures)[number], number>;
interface NodeEvent {
  object: { metadata: { name: string }; status?: { nodeInfo?: { kubeletVersion?: string } } };
}

const executable = join(projectRoot, `dist/release/joinery-${pjson.version}-linux-${process.arch}`);
const commands: Record<string, string[]> = {
  kubeadm: ['kubeadm', 'join'],
  joinery: [join(projectRoot, 'bin/join'), 'run'],
  executable: [executable, 'run'],
};

/** Milliseconds since the epoch, finer than Date.now(). */
const now = () => performance.timeOrigin + performance.now();

/** Records when each Node first reports its kubelet's version, through one open watch. */
function watchNodes(cluster: Cluster) {
  const config = parse(readFileSync(cluster.adminKubeconfig, 'utf8'));
  const { 'client-certificate-data': cert, 'client-key-data': key } = config.users[0].user;
  const ca = config.clusters[0].cluster['certificate-authority-data'];
  const decode = (data: string) => Buffer.from(data, 'base64');
  const agent = new Agent({ cert: decode(cert), key: decode(key), ca: decode(ca) });
  const registered = new Map<string, number>();
  let failure: Error | undefined;
  const request = get(`https://${cluster.server}/api/v1/nodes?watch=1&timeoutSeconds=7200`, { agent }, (response) => {
    let rest = '';
    response.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const { object }: NodeEvent = JSON.parse(line);
        const { name } = object.metadata;
        if (object.status?.nodeInfo?.kubeletVersion && !registered.has(name)) registered.set(name, now());
      }
    });
    response.on('error', (error) => (failure = error));
  }).on('error', (error) => (failure = error));
  const when = async (name: string, limitMs: number): Promise<number> => {
    for (const from = now(); now() < from + limitMs; await sleep(5)) {
      const time = registered.get(name);
      if (time !== undefined) return time;
      if (failure) throw failure;
    }
    return Number.NaN;
  };
  return { when, stop: () => request.destroy() };
}

/** Whether kubelet.conf exists and the current link leads to a certificate and a key. */
function hasIdentity(machine: Machine): boolean {
  const pki = '/var/lib/kubelet/pki';
  if (!existsSync(machine.path('/etc/kubernetes/kubelet.conf'))) return false;
  try {
    const target = readlinkSync(machine.path(`${pki}/kubelet-client-current.pem`));
    const pem = readFileSync(machine.path(isAbsolute(target) ? target : join(pki, target)), 'utf8');
    return pem.includes('-----END CERTIFICATE-----') && /-----END (EC |RSA )?PRIVATE KEY-----/.test(pem);
  } catch {
    return false;
  }
}

async function measure(joiner: string, name: string, cluster: Cluster, nodes: ReturnType<typeof watchNodes>) {
  const machine = await startMachine(name);
  const [command = '', ...extra] = joiner.split(' ');
  const { server, token, caHash } = cluster;
  const flags = [server, '--token', token, '--discovery-token-ca-cert-hash', caHash];
  const more = ['--cri-socket', machine.socket, '--ignore-preflight-errors', 'all', ...extra];
  const [began, used] = [machine.path('/../began'), machine.path('/../used')];
  try {
    // The shell records the time and becomes time(1), so that entering the machine's namespaces does not count.
    const shell = ['bash', '-c', 'echo $EPOCHREALTIME >"$0"; exec "$@"', began];
    const timed = ['/usr/bin/time', '-q', '-o', used, '-f', '%U %S %M', ...(commands[command] ?? [command])];
    const joining = machine.run([...shell, ...timed, ...flags, ...more], { timeoutMs: 120_000 });
    let [identity, end] = [Number.NaN, Number.NaN];
    const ended = joining.then((result) => {
      end = now();
      return result;
    });
    for (const from = now(); Number.isNaN(identity) && now() < from + 60_000; await sleep(5))
      if (hasIdentity(machine)) identity = now();
      else if (!Number.isNaN(end) && now() > end + 5_000) break;
    const result = await ended;
    if (result.code !== 0) throw new Error(`${joiner} ended with ${result.code}\n${result.stdout}${result.stderr}`);
    const registered = await nodes.when(name, 60_000);
    const start = Number(readFileSync(began, 'utf8')) * 1000;
    const [user = 0, system = 0, peakKb = 0] = readFileSync(used, 'utf8').trim().split(' ').map(Number);
    const measured: Measured = {
      'identity s': (identity - start) / 1000,
      'kubelet start s': (statSync(machine.path('/var/lib/kubelet/.service/pid')).mtimeMs - start) / 1000,
      'registered s': (registered - start) / 1000,
      'end s': (end - start) / 1000,
      'end - registered s': (end - registered) / 1000,
      'cpu s': user + system,
      'peak MB': peakKb / 1024,
    };
    return measured;
  } finally {
    await machine.gone();
    await cluster.kubectl(['delete', 'node', name, '--ignore-not-found']);
    await cluster.kubectl(['delete', 'csr', '--all']);
  }
}

type Report = Record<string, Record<string, ReturnType<typeof summary>>>;

function documentText(report: Report): string {
  const peer = report.kubeadm;
  const rows = Object.entries(report).map(([joiner, rows]) => [
    joiner,
    ...figures.map((figure) => {
      const [value, other] = [rows[figure]?.median ?? Number.NaN, peer?.[figure]?.median ?? Number.NaN];
      return joiner === 'kubeadm' ? value.toFixed(2) : `${value.toFixed(2)} (${(value / other).toFixed(2)} ×)`;
    }),
  ]);
  const load = loadavg()[0]?.toFixed(1);
  const date = new Date().toISOString().slice(0, 10);
  const about = `${date}, load ${load}, Node ${process.version}. Medians of ${runs} runs in turn.`;
  return `${about}\n\n${table(['', ...figures], rows)}`;
}

function summary(values: readonly number[]) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  const [low, high] = [Math.floor((sorted.length - 1) / 2), Math.ceil((sorted.length - 1) / 2)];
  return { min: at(0), median: (at(low) + at(high)) / 2, max: at(sorted.length - 1) };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' }, document: { type: 'string' } },
});
const setting = (key: string, fallback: string) =>
  positionals.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1) ?? fallback;
const runs = Number(setting('runs', positionals.find((word) => /^\d+$/.test(word)) ?? '5'));
const joiners = setting(
  'joiners',
  positionals.find((word) => /^[a-z]/.test(word) && !word.includes('=')) ?? 'kubeadm,joinery',
)
  .split(',')
  .filter((joiner) => joiner !== 'executable' || existsSync(executable));
const reason = missing();
if (reason) {
  console.error(`bench: cannot run: ${reason}`);
  process.exit(1);
}

let interrupted = false;
process.on('SIGINT', () => (interrupted = true)); // the run in progress ends with its clean-up
try {
  const cluster = await startCluster();
  const nodes = watchNodes(cluster);
  const results = new Map<string, Measured[]>(joiners.map((joiner) => [joiner, []]));
  let count = 0;
  for (let round = 0; round <= runs && !interrupted; round++)
    for (const [joiner, measured] of results) {
      if (interrupted) break;
      const run = await measure(joiner, `w${++count}`, cluster, nodes);
      if (round > 0) measured.push(run); // round 0 warms the caches
      const line = figures.map((figure) => `${figure} ${run[figure].toFixed(2)}`).join('  ');
      console.error(`${round === 0 ? 'warm-up' : `run ${round}`} ${joiner}: ${line}`);
    }
  nodes.stop();
  const report = Object.fromEntries(
    [...results].map(([joiner, measured]) => [
      joiner,
      Object.fromEntries(figures.map((figure) => [figure, summary(measured.map((run) => run[figure]))])),
    ]),
  );
  for (const [joiner, rows] of Object.entries(report)) {
    console.log(`\n${joiner.padEnd(24)}${['min', 'median', 'max'].map((word) => word.padStart(9)).join('')}`);
    for (const [figure, { min, median, max }] of Object.entries(rows))
      console.log(figure.padEnd(24) + [min, median, max].map((value) => value.toFixed(2).padStart(9)).join(''));
  }
  if (values.document) writeSection(values.document, 'real', documentText(report));
  if (values.json)
    writeFileSync(values.json, `${JSON.stringify({ runs, report, measured: Object.fromEntries(results) }, null, 2)}\n`);
} finally {
  await cleanUp();
}
