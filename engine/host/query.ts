/** The questions that a host answers about its machine. None of them changes anything. */
import type {
  CgroupDriver,
  CommandLimits,
  CommandResult,
  EtcdAccess,
  EtcdMember,
  EtcdStatus,
  HttpAnswer,
  HttpCall,
  PodSandbox,
  ProxyVariable,
  RuntimeStatus,
  ServiceStatus,
  Stat,
} from '../sdk/ports.ts';

export interface CommandOptions {
  /** The directory in which the command runs (default: that of this process). */
  directory?: string;
  environment?: Readonly<Record<string, string>>;
  limits?: CommandLimits;
}

export type Query =
  | { kind: 'file'; path: string }
  | { kind: 'stat'; path: string }
  | { kind: 'list'; path: string }
  /** What an undo would not restore if the path was replaced or removed. */
  | { kind: 'unrestored'; path: string }
  | { kind: 'service'; name: string }
  | { kind: 'unit'; name: string }
  | { kind: 'last-error'; service: string }
  | { kind: 'program'; name: string }
  | ({ kind: 'output'; argv: readonly string[] } & CommandOptions)
  | { kind: 'mounts'; path: string }
  | { kind: 'runtime'; socket: string }
  | { kind: 'cgroup-driver'; socket: string }
  | { kind: 'runtime-config'; socket: string }
  | { kind: 'pod-sandboxes'; socket: string }
  /** `allows` is asked about each redirect. */
  | { kind: 'download'; url: string; allows: (address: string) => boolean }
  | { kind: 'http'; call: HttpCall }
  | { kind: 'proxy'; url: string }
  | { kind: 'proxy-variables' }
  | { kind: 'roots' }
  | { kind: 'etcd-members'; access: EtcdAccess }
  | { kind: 'etcd-status'; access: EtcdAccess; endpoint: string };

export interface Answers {
  file: Buffer | undefined;
  stat: Stat | undefined;
  list: string[] | undefined;
  unrestored: string | undefined;
  service: ServiceStatus;
  unit: string | undefined;
  'last-error': string;
  program: string | undefined;
  output: CommandResult;
  mounts: string[];
  runtime: RuntimeStatus;
  'cgroup-driver': CgroupDriver | undefined;
  'runtime-config': boolean;
  'pod-sandboxes': PodSandbox[];
  download: string;
  http: HttpAnswer;
  proxy: string | undefined;
  'proxy-variables': ProxyVariable[];
  roots: string;
  'etcd-members': EtcdMember[];
  'etcd-status': EtcdStatus;
}

/** Reads from one host until one signal is aborted. */
export type Read = <Q extends Query>(query: Q) => Promise<Answers[Q['kind']]>;
