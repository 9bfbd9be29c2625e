/** The host of a real run: this machine, or the one below a root directory. */
import { stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { LIMITS } from '../limits/sizes.ts';
import { proxyText, proxyVariables } from '../net/proxy-rule.ts';
import type { ApiAccess } from '../sdk/api.ts';
import { fail } from '../sdk/errors.ts';
import type { HostFacts } from '../sdk/ports.ts';
import { applyChange } from './changes/index.ts';
import type { Host, Wait } from './host.ts';
import { type Machine, machineAt } from './machine.ts';
import type { Answers, Query } from './query.ts';
import { RecentAnswers } from './recent-answers.ts';

export interface RealHost extends Host {
  /** Closes all connections. */
  close(): Promise<void>;
}

export interface RealHostOptions {
  access: ApiAccess;
  now?: () => Date;
}

/**
 * `root` is `/` for this machine. Below any other root, no privilege is needed, and only the programs there are run.
 */
export async function realHost(root: string, { access, now = () => new Date() }: RealHostOptions): Promise<RealHost> {
  const machine = machineAt(root, now);
  const api = access.connect(now);
  const recent = new RecentAnswers();
  const answers = answersOf(machine, recent);
  return {
    facts: await factsOf(root, machine),
    access,
    now,
    read: <K extends Query['kind']>(query: Extract<Query, { kind: K }>, signal: AbortSignal) =>
      answers[query.kind as K](query, signal),
    apply: (change, signal) => applyChange(change, machine, signal).finally(() => recent.forget()),
    send: (request, signal) => api.send(request, signal),
    wait: (condition, signal) =>
      condition.kind === 'object' ? api.waitFor(condition, signal) : waitOn(machine, condition, signal),
    close: () => api.close(),
  };
}

type AnswerQuery<K extends Query['kind']> = (
  query: Extract<Query, { kind: K }>,
  signal: AbortSignal,
) => Promise<Answers[K]>;

/** A service may stop by itself at any time. A program changes only with its package. */
const FRESH_MS = { service: 1_000, version: 10_000 };

function answersOf(
  { files, commands, services, mounts, runtime, etcd }: Machine,
  recent: RecentAnswers,
): { [K in Query['kind']]: AnswerQuery<K> } {
  return {
    file: ({ path }) => files.read(path),
    stat: ({ path }) => files.stat(path),
    list: ({ path }) => files.list(path),
    unrestored: ({ path }) => files.unrestored(path),
    service: ({ name }, signal) =>
      recent.get(`service ${name}`, FRESH_MS.service, signal, () => services.status(name, signal)),
    'last-error': ({ service }) => services.lastError(service),
    unit: ({ name }, signal) => recent.get(`unit ${name}`, FRESH_MS.service, signal, () => services.unit(name, signal)),
    program: ({ name }) => commands.find(name),
    output({ argv, ...options }, signal) {
      const ask = () => commands.run(argv, signal, options);
      if (argv[1] !== '--version' || argv.length > 2) return ask();
      return recent.get(JSON.stringify({ argv, ...options }), FRESH_MS.version, signal, ask);
    },
    mounts: ({ path }) => mounts.below(path),
    runtime: async ({ socket }, signal) => (await runtime()).status(socket, signal),
    'cgroup-driver': async ({ socket }, signal) => (await runtime()).cgroupDriver(socket, signal),
    'runtime-config': async ({ socket }, signal) => (await runtime()).hasRuntimeConfig(socket, signal),
    'pod-sandboxes': async ({ socket }, signal) => (await runtime()).podSandboxes(socket, signal),
    download: async ({ url, allows }, signal) => (await import('../net/download.ts')).download(url, signal, allows),
    http: async ({ call }, signal) => (await import('../net/calls.ts')).answerOf(call, signal),
    proxy: async ({ url }) => proxyText(url),
    'proxy-variables': async () => proxyVariables(),
    'etcd-members': async ({ access }, signal) => (await etcd()).members(access, signal),
    'etcd-status': async ({ access, endpoint }, signal) => (await etcd()).status(access, endpoint, signal),
    roots: async () => (await (await import('../net/roots.ts')).systemRoots()).join('\n'),
  };
}

async function waitOn(
  { files, services, etcd }: Machine,
  condition: Exclude<Wait, { kind: 'object' }>,
  signal: AbortSignal,
): Promise<unknown> {
  switch (condition.kind) {
    case 'file':
      return files.waitFor(condition.path, condition.done, signal);
    case 'healthy':
      return services.waitHealthy(condition.service, condition.url, signal);
    case 'port':
      return (await import('../net/calls.ts')).waitForPort(condition.host, condition.port, signal);
    case 'answer':
      return (await import('../net/calls.ts')).waitForAnswer(condition.call, signal);
    case 'etcd':
      return (await etcd()).waitFor(condition, signal);
  }
}

async function factsOf(root: string, { files }: Machine): Promise<HostFacts> {
  const rootStat = await stat(root).catch(() => undefined);
  if (rootStat?.isDirectory() !== true) throw fail('E_FILE', { path: root, what: 'is not a directory' });
  const textAt = (path: string) => files.read(path, LIMITS.text).catch(() => undefined);
  const own = root === '/' ? hostname() : ((await textAt('/etc/hostname'))?.toString('utf8') ?? hostname());
  const release = (await textAt('/etc/os-release'))?.toString('utf8') ?? '';
  return {
    name: own.trim().toLowerCase(),
    privileged: root !== '/' || process.getuid?.() === 0,
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    distribution: /^ID="?([a-z0-9._-]+)"?$/m.exec(release)?.[1] ?? 'linux',
  };
}

/** Go's names of architectures, if Node's names differ. */
const ARCHITECTURES: Record<string, string> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };
