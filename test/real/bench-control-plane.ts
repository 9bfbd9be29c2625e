/**
 * The same control plane joins by kubeadm and by Joinery in turn, while a writer writes to the cluster every 100 ms:
 * `npx tsx test/real/bench-control-plane.ts [runs=3] [--document FILE]`. The first control plane stays, and the
 * second one joins, and leaves by the joiner's own means.
 */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { table, writeSection } from '../bench/report.ts';
import { MachineCluster, missingMachines } from './control-plane-rig.ts';
import { projectRoot } from './rig.ts';

const PORT = 18_444;
const EVERY_MS = 100;
const LIMIT_MS = 1_000;
const bin = join(projectRoot, 'bin/join');
const figures = ['voting member s', 'Ready s', 'end s', 'failed writes', 'longest without a write s'] as const;
type Measured = Record<(typeof figures)[number], number>;

interface Joiner {
  name: string;
  join: string[];
  leave: string[];
}

/** Calls of the administrator, as JSON. Rejects if no success comes within the limit. */
function administrator(kubeconfig: string) {
  const config = parse(readFileSync(kubeconfig, 'utf8'));
  const decode = (data: string) => Buffer.from(data, 'base64');
  const { 'client-certificate-data': cert, 'client-key-data': key } = config.users[0].user;
  const { server, 'certificate-authority-data': ca, 'tls-server-name': servername } = config.clusters[0].cluster;
  const agent = new Agent({ cert: decode(cert), key: decode(key), ca: decode(ca), servername, keepAlive: true });
  return (method: string, path: string, body?: object): Promise<Record<string, never>> =>
    new Promise((settle, fail) => {
      const headers = { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' };
      const signal = AbortSignal.timeout(LIMIT_MS);
      const call = request(`${server}${path}`, { method, agent, headers, signal }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('error', fail).on('end', () => {
          if ((response.statusCode ?? 500) < 300) settle(JSON.parse(text));
          else fail(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
        });
      });
      call.on('error', fail).end(body === undefined ? undefined : JSON.stringify(body));
    });
}
type Call = ReturnType<typeof administrator>;

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

/** Starts a write every 100 ms, whether or not those before it have ended. */
async function startWriter(call: Call, name: string) {
  await call('POST', CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
  let [failed, last, longestMs, count] = [0, Date.now(), 0, 0];
  const write = () => {
    call('PATCH', `${CONFIG_MAPS}/${name}`, { data: { count: String(++count) } }).then(
      () => {
        longestMs = Math.max(longestMs, Date.now() - last);
        last = Date.now();
      },
      () => failed++,
    );
  };
  const timer = setInterval(write, EVERY_MS);
  return async () => {
    clearInterval(timer);
    await sleep(LIMIT_MS);
    return { failed, longestMs: Math.max(longestMs, Date.now() - last - LIMIT_MS) };
  };
}

async function secondsUntil(from: number, isSo: () => Promise<boolean>): Promise<number> {
  while (!(await isSo().catch(() => false))) {
    if (Date.now() > from + 240_000) return Number.NaN;
    await sleep(50);
  }
  return (Date.now() - from) / 1_000;
}

async function isReady(call: Call, node: string): Promise<boolean> {
  const { status } = (await call('GET', `/api/v1/nodes/${node}`)) as {
    status?: { conditions?: { type: string; status: string }[] };
  };
  return status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

async function measure(cluster: MachineCluster, call: Call, { name, join, leave }: Joiner): Promise<Measured> {
  const stop = await startWriter(call, `writes-${Date.now()}`);
  const began = Date.now();
  const joining = cluster.on('cp2', ...join).done;
  const [voter, ready, joined] = await Promise.all([
    secondsUntil(began, async () => (await cluster.members('cp1')).includes('cp2 voter')),
    secondsUntil(began, () => isReady(call, 'cp2')),
    joining,
  ]);
  if (joined.code !== 0) throw new Error(`${name} ended with ${joined.code}\n${joined.stdout}${joined.stderr}`);
  const { failed, longestMs } = await stop();
  const left = await cluster.on('cp2', ...leave).done;
  if (left.code !== 0) throw new Error(`${leave.join(' ')}: ${left.code}\n${left.stdout}${left.stderr}`);
  await cluster.kubectl('delete', 'node', 'cp2');
  return {
    'voting member s': voter,
    'Ready s': ready,
    'end s': joined.ms / 1_000,
    'failed writes': failed,
    'longest without a write s': longestMs / 1_000,
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] ?? Number.NaN) + (sorted[sorted.length >> 1] ?? Number.NaN)) / 2;
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { document: { type: 'string' } } });
const runs = Number(positionals[0]?.replace('runs=', '') ?? 3);
const reason = missingMachines();
if (reason) throw new Error(`bench: cannot run: ${reason}`);
const cluster = new MachineCluster();
try {
  await cluster.start(['cp2'], PORT);
  const call = administrator(join(cluster.directory, 'admin.conf'));
  const [, ...flags] = cluster.joinArguments('control plane');
  const joiners: Joiner[] = [
    {
      name: 'kubeadm',
      join: ['kubeadm', 'join', ...flags, '--ignore-preflight-errors', 'all'],
      leave: ['kubeadm', 'reset', '-f'],
    },
    { name: 'joinery', join: [bin, 'run', ...flags], leave: [bin, 'undo', '--yes'] },
  ];
  const rows = new Map(joiners.map((joiner) => [joiner, [] as Measured[]]));
  for (let run = 1; run <= runs; run++)
    for (const [joiner, all] of rows) {
      const measured = await measure(cluster, call, joiner);
      all.push(measured);
      console.error(joiner.name, ...figures.map((figure) => `${figure} ${measured[figure].toFixed(2)};`));
    }
  const lines = [...rows].map(([{ name }, all]) => [
    name,
    ...figures.map((figure) => median(all.map((measured) => measured[figure])).toFixed(2)),
  ]);
  const load = loadavg()[0]?.toFixed(1);
  const about = `${new Date().toISOString().slice(0, 10)}, load ${load}. Medians of ${runs} runs in turn.`;
  const text = `${about}\n\n${table(['', ...figures], lines)}`;
  console.log(text);
  if (values.document) writeSection(values.document, 'control-plane', text);
} finally {
  await cluster.gone();
}
