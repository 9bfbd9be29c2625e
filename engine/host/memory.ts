/** A machine in memory, for tests: maps, and a refusal for everything it was not told about. */
import { dirname } from 'node:path/posix';
import { socketPath } from '../node/cri.ts';
import { fail } from '../sdk/errors.ts';
import type {
  CgroupDriver,
  CommandResult,
  HttpAnswer,
  HttpCall,
  PodSandbox,
  RuntimeStatus,
  ServiceStatus,
} from '../sdk/ports.ts';
import type { Answers, ApiAnswer, ApiRequest, Change, Host, Query, Wait } from './host.ts';
import { Overlay, UNCHANGED } from './overlay.ts';

export interface MemoryMachine {
  now?: () => Date;
  privileged?: boolean;
  /** Path → content; mode 0644. */
  files?: Record<string, string>;
  directories?: string[];
  services?: Record<string, Partial<ServiceStatus> & { unit?: string }>;
  programs?: string[];
  /** Command line → what it prints. */
  outputs?: Record<string, Partial<CommandResult>>;
  mounts?: string[];
  sandboxes?: PodSandbox[];
  /** Address → what is there. */
  downloads?: Record<string, string>;
  roots?: string;
  /** Path of a socket → the runtime that listens there. */
  runtimes?: Record<string, Partial<RuntimeStatus> & { cgroupDriver?: CgroupDriver }>;
  /** Answers http calls of every kind. */
  call?: (call: HttpCall) => HttpAnswer;
  send?: (request: ApiRequest) => Promise<ApiAnswer> | ApiAnswer;
  wait?: (condition: Wait, signal: AbortSignal) => Promise<unknown>;
}

export interface MemoryHost extends Host {
  /** What was applied, in order. */
  changes: Change[];
  sent: ApiRequest[];
}

export function memoryHost(machine: MemoryMachine = {}): MemoryHost {
  const overlay = new Overlay();
  const changes: Change[] = [];
  const sent: ApiRequest[] = [];
  const directory = (path: string): void => {
    if (path !== '/') directory(dirname(path));
    overlay.apply({ kind: 'directory', path, mode: 0o755 });
  };
  for (const path of ['/', ...(machine.directories ?? [])]) directory(path);
  for (const [path, content] of Object.entries(machine.files ?? {})) {
    directory(dirname(path));
    overlay.apply({ kind: 'file', path, content: Buffer.from(content), mode: 0o644, secret: false });
  }

  const runtimeAt = (socket: string) => {
    const told = machine.runtimes?.[socketPath(socket)];
    if (told === undefined)
      throw fail('E_CRI_UNREACHABLE', { socket: socketPath(socket), what: 'there is no such socket' });
    return told;
  };
  const answered = (call: HttpCall): HttpAnswer => {
    if (machine.call === undefined) throw new Error(`the memory host was not told what answers ${call.url}`);
    return machine.call(call);
  };
  const answers: { [K in Query['kind']]: (query: Extract<Query, { kind: K }>) => Answers[K] } = {
    file: () => undefined,
    stat: () => undefined,
    list: ({ path }) => overlay.list(path, undefined),
    service: ({ name }) => {
      const told = machine.services?.[name];
      const absent = { manager: 'systemd', exists: false, enabled: false, active: false, failed: false } as const;
      return overlay.service(name, told === undefined ? absent : { ...absent, exists: true, enabled: true, ...told });
    },
    unit: ({ name }) => machine.services?.[name]?.unit,
    program: ({ name }) => (machine.programs?.includes(name) === true ? `/usr/bin/${name}` : undefined),
    output: ({ argv }) => {
      const told = machine.outputs?.[argv.join(' ')];
      if (told === undefined) throw new Error(`the memory host was not told what ${argv.join(' ')} prints`);
      return { exitCode: 0, stdout: '', stderr: '', ...told };
    },
    mounts: ({ path }) => (machine.mounts ?? []).filter((mount) => mount.startsWith(`${path}/`)),
    runtime: ({ socket }) => {
      const { cgroupDriver: _, ...told } = runtimeAt(socket);
      return { name: 'containerd', version: '1.7.2', apiVersion: 'v1', ready: true, message: '', ...told };
    },
    cgroups: ({ socket }) => runtimeAt(socket).cgroupDriver,
    sandboxes: () => machine.sandboxes ?? [],
    download: ({ url }) => {
      const told = machine.downloads?.[url];
      if (told === undefined) throw new Error(`the memory host was not told what is at ${url}`);
      return told;
    },
    http: ({ call }) => answered(call),
    roots: () => machine.roots ?? '',
  };
  return {
    changes,
    sent,
    facts: { name: 'w1', privileged: machine.privileged ?? true, architecture: 'amd64', distribution: 'debian' },
    now: machine.now ?? (() => new Date()),
    async read<K extends Query['kind']>(query: Extract<Query, { kind: K }>): Promise<Answers[K]> {
      const changed = overlay.read(query);
      return changed === UNCHANGED ? answers[query.kind as K](query) : (changed as Answers[K]);
    },
    async apply(change) {
      changes.push(change);
      overlay.apply(change);
      if (change.kind === 'http') change.answered(answered(change.call));
    },
    async send(request) {
      sent.push(request);
      if (machine.send === undefined) throw new Error(`the memory host was not told to answer ${request.path}`);
      return machine.send(request);
    },
    async wait(condition, signal) {
      if (condition.kind === 'file') {
        const content = await this.read<'file'>({ kind: 'file', path: condition.path }, signal);
        if (condition.done(content)) return content;
      }
      if (machine.wait === undefined) throw new Error(`the memory host was not told how to wait for ${condition.kind}`);
      return machine.wait(condition, signal);
    },
  };
}
