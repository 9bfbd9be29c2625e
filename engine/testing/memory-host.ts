/** A machine in memory, for tests. It refuses every question that the test did not prepare it for. */
import { dirname } from 'node:path/posix';
import { type Change, overlayChange } from '../host/changes/index.ts';
import type { Host, Wait } from '../host/host.ts';
import { Overlay, UNCHANGED } from '../host/overlay.ts';
import type { Answers, Query } from '../host/query.ts';
import { kubeAccess } from '../kube/access.ts';
import { proxyText, proxyVariables } from '../net/proxy-rule.ts';
import type { ApiAnswer, ApiRequest } from '../sdk/api.ts';
import { fail } from '../sdk/errors.ts';
import { socketPath } from '../sdk/paths.ts';
import type {
  CgroupDriver,
  CommandResult,
  HttpAnswer,
  HttpCall,
  PodSandbox,
  RuntimeStatus,
  ServiceStatus,
} from '../sdk/ports.ts';
import type { MemoryEtcd } from './memory-etcd.ts';

export interface MemoryMachine {
  now?: () => Date;
  privileged?: boolean;
  /** Path → content; mode 0644. */
  files?: Record<string, string>;
  directories?: string[];
  services?: Record<string, Partial<ServiceStatus> & { unit?: string; lastError?: string }>;
  programs?: string[];
  /** Command line → what it prints. */
  outputs?: Record<string, Partial<CommandResult>>;
  mounts?: string[];
  podSandboxes?: PodSandbox[];
  /** Address → what is there. */
  downloads?: Record<string, string>;
  roots?: string;
  /** Path of a socket → the runtime that listens there. */
  runtimes?: Record<string, Partial<RuntimeStatus> & { cgroupDriver?: CgroupDriver; runtimeConfig?: boolean }>;
  /** Environment of the process, which may name proxies. */
  environment?: Record<string, string>;
  /** Answers http calls of every kind. */
  call?: (call: HttpCall) => HttpAnswer;
  send?: (request: ApiRequest) => Promise<ApiAnswer> | ApiAnswer;
  wait?: (condition: Wait, signal: AbortSignal) => Promise<unknown>;
  etcd?: MemoryEtcd;
}

export interface MemoryHost extends Host {
  /** The changes that were applied, in order. */
  changes: Change[];
  sent: ApiRequest[];
}

export function memoryHost(machine: MemoryMachine = {}): MemoryHost {
  const overlay = overlayOf(machine);
  const answers = answersOf(machine, overlay);
  const changes: Change[] = [];
  const sent: ApiRequest[] = [];
  return {
    changes,
    sent,
    access: kubeAccess,
    facts: { name: 'w1', privileged: machine.privileged ?? true, architecture: 'amd64', distribution: 'debian' },
    now: machine.now ?? (() => new Date()),
    async read<K extends Query['kind']>(query: Extract<Query, { kind: K }>): Promise<Answers[K]> {
      const changed = overlay.read(query);
      return changed === UNCHANGED ? answers[query.kind as K](query) : (changed as Answers[K]);
    },
    async apply(change) {
      changes.push(change);
      if (change.kind === 'etcd-member') prepared(machine.etcd, 'with an etcd').change(change.action, change.peerUrl);
      else overlayChange(change, overlay);
    },
    async send(request) {
      sent.push(request);
      return prepared(machine.send, `to answer ${request.path}`)(request);
    },
    async wait(condition, signal) {
      if (condition.kind === 'file') {
        const content = await this.read<'file'>({ kind: 'file', path: condition.path }, signal);
        if (condition.done(content)) return content;
      }
      if (condition.kind === 'etcd') {
        const data = prepared(machine.etcd, 'with an etcd').wait(condition);
        for (const path of data) overlay.put(path, { kind: 'directory', mode: 0o700 });
        return undefined;
      }
      return prepared(machine.wait, `to wait for ${condition.kind}`)(condition, signal);
    },
  };
}

/** The machine's files and directories, with every directory above them. */
function overlayOf({ directories = [], files = {}, call }: MemoryMachine): Overlay {
  const overlay = new Overlay((http) => prepared(call, `to answer ${http.url}`)(http));
  const addDirectory = (path: string): void => {
    if (path !== '/') addDirectory(dirname(path));
    overlay.put(path, { kind: 'directory', mode: 0o755 });
  };
  for (const path of ['/', ...directories]) addDirectory(path);
  for (const [path, content] of Object.entries(files)) {
    addDirectory(dirname(path));
    overlay.put(path, { kind: 'file', mode: 0o644 }, Buffer.from(content));
  }
  return overlay;
}

const NO_SERVICE = { manager: 'systemd', exists: false, enabled: false, active: false, failed: false } as const;

type AnswersOf = { [K in Query['kind']]: (query: Extract<Query, { kind: K }>) => Answers[K] };

function answersOf(machine: MemoryMachine, overlay: Overlay): AnswersOf {
  const runtimeAt = (socket: string) => {
    const path = socketPath(socket);
    const runtime = machine.runtimes?.[path];
    if (runtime === undefined) throw fail('E_CRI_UNREACHABLE', { socket: path, what: 'there is no such socket' });
    return runtime;
  };
  return {
    file: () => undefined,
    stat: () => undefined,
    list: ({ path }) => overlay.list(path, undefined),
    unrestored: () => undefined,
    service({ name }) {
      const status = machine.services?.[name];
      return overlay.service(name, status ? { ...NO_SERVICE, exists: true, enabled: true, ...status } : NO_SERVICE);
    },
    'last-error': ({ service }) => machine.services?.[service]?.lastError ?? '(its log is empty)',
    unit: ({ name }) => machine.services?.[name]?.unit,
    program: ({ name }) => (machine.programs?.includes(name) === true ? `/usr/bin/${name}` : undefined),
    output({ argv }) {
      const line = argv.join(' ');
      return { exitCode: 0, stdout: '', stderr: '', ...prepared(machine.outputs?.[line], `to run ${line}`) };
    },
    mounts: ({ path }) => (machine.mounts ?? []).filter((mount) => mount.startsWith(`${path}/`)),
    runtime({ socket }) {
      const { cgroupDriver: _, runtimeConfig: __, ...status } = runtimeAt(socket);
      return { name: 'containerd', version: '1.7.2', apiVersion: 'v1', ready: true, message: '', ...status };
    },
    'cgroup-driver': ({ socket }) => runtimeAt(socket).cgroupDriver,
    'runtime-config': ({ socket }) => runtimeAt(socket).runtimeConfig ?? true,
    'pod-sandboxes': () => machine.podSandboxes ?? [],
    download: ({ url }) => prepared(machine.downloads?.[url], `to download ${url}`),
    http: ({ call }) => overlay.answer(call),
    proxy: ({ url }) => proxyText(url, machine.environment ?? {}),
    'proxy-variables': () => proxyVariables(machine.environment ?? {}),
    roots: () => machine.roots ?? '',
    'etcd-members': ({ access }) => prepared(machine.etcd, 'with an etcd').list(access.endpoints),
    'etcd-status': ({ endpoint }) => prepared(machine.etcd, 'with an etcd').status(endpoint),
  };
}

/** `value`, unless the test did not give it. */
function prepared<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the memory host is not prepared ${what}`);
  return value;
}
