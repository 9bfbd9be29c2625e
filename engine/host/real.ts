/** This machine, or the one laid out below a directory: changes are made, requests are sent, waits are waited. */
import { readFile, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Transport } from '../kube/request.ts';
import { watchObject } from '../kube/watch.ts';
import { fail } from '../sdk/errors.ts';
import type { HostFacts } from '../sdk/ports.ts';
import { MachineCommands } from './commands.ts';
import type { ContainerRuntime } from './cri/runtime.ts';
import { MachineFiles } from './files.ts';
import type { Answers, Change, Host, Query } from './host.ts';
import { Mounts } from './mounts.ts';
import { MachineServices } from './services.ts';

export interface RealHost extends Host {
  /** Closes every connection. */
  close(): Promise<void>;
}

/** `root` is `/` for this machine. Below any other root no privilege is needed, and only that machine's programs are run. */
export async function realHost(root: string, now: () => Date = () => new Date()): Promise<RealHost> {
  const files = new MachineFiles(root);
  const commands = new MachineCommands(root);
  const services = new MachineServices(commands);
  const transport = new Transport(now);
  const mounts = new Mounts(root);
  /** gRPC takes a while to load: only who asks a runtime waits for it. */
  let loaded: Promise<ContainerRuntime> | undefined;
  const runtime = () => {
    loaded ??= import('./cri/runtime.ts').then((module) => new module.ContainerRuntime(root));
    return loaded;
  };
  const calls = () => import('../net/calls.ts');
  const readers: {
    [K in Query['kind']]: (query: Extract<Query, { kind: K }>, signal: AbortSignal) => Promise<Answers[K]>;
  } = {
    file: ({ path }) => files.read(path),
    stat: ({ path }) => files.stat(path),
    list: ({ path }) => files.list(path),
    service: ({ name }, signal) => services.status(name, signal),
    unit: ({ name }, signal) => services.unit(name, signal),
    program: ({ name }) => commands.find(name),
    output: ({ argv, ...surroundings }, signal) => commands.run(argv, signal, surroundings),
    mounts: ({ path }) => mounts.below(path),
    download: async ({ url }, signal) => (await import('../net/download.ts')).download(url, signal),
    http: async ({ call }, signal) => (await calls()).answerOf(call, signal),
    roots: async () => (await import('../net/roots.ts')).systemRoots().then((roots) => roots.join('\n')),
    runtime: async ({ socket }, signal) => (await runtime()).status(socket, signal),
    cgroups: async ({ socket }, signal) => (await runtime()).cgroupDriver(socket, signal),
    sandboxes: async ({ socket }, signal) => (await runtime()).podSandboxes(socket, signal),
  };
  return {
    facts: await factsOf(root),
    now,
    read: <K extends Query['kind']>(query: Extract<Query, { kind: K }>, signal: AbortSignal) =>
      readers[query.kind as K](query, signal),
    async apply(change: Change, signal) {
      if (change.kind === 'service') return services.control(change.name, change.action, signal);
      if (change.kind === 'command') return commands.must(change.argv, signal, change);
      if (change.kind === 'http') return change.answered(await (await calls()).answerOf(change.call, signal));
      if (change.kind === 'unmount') return mounts.unmount(change.path, signal);
      if (change.kind === 'pod-sandbox') return (await runtime()).removePodSandbox(change.socket, change.id, signal);
      return files.apply(change);
    },
    send: (request, signal) => transport.send(request, signal),
    wait: async (condition, signal) => {
      if (condition.kind === 'answer') return (await calls()).waitForAnswer(condition.call, signal);
      if (condition.kind === 'port') return (await calls()).waitForPort(condition.host, condition.port, signal);
      if (condition.kind === 'object') return watchObject(transport, condition, signal);
      if (condition.kind === 'file') return files.waitFor(condition.path, condition.done, signal);
      return services.waitHealthy(condition.service, condition.url, signal);
    },
    close: () => transport.close(),
  };
}

async function factsOf(root: string): Promise<HostFacts> {
  const there = await stat(root).catch(() => undefined);
  if (there?.isDirectory() !== true) throw fail('E_FILE', { path: root, what: 'is no directory' });
  const own = root === '/' ? hostname() : await readFile(join(root, 'etc/hostname'), 'utf8').catch(() => hostname());
  const release = await readFile(join(root, 'etc/os-release'), 'utf8').catch(() => '');
  return {
    name: own.trim().toLowerCase(),
    privileged: root !== '/' || process.getuid?.() === 0,
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    distribution: /^ID="?([a-z0-9._-]+)"?$/m.exec(release)?.[1] ?? 'linux',
  };
}

/** Go's names, where they are not Node's. */
const ARCHITECTURES: Record<string, string> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };
