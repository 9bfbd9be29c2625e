/** What a host is: four functions. Real, rooted, recording and memory hosts differ in these and in nothing else. */
import type {
  CgroupDriver,
  CommandLimits,
  CommandResult,
  HostFacts,
  HttpAnswer,
  HttpCall,
  Identity,
  ObjectRef,
  Owner,
  PodSandbox,
  RuntimeStatus,
  ServiceAction,
  ServiceStatus,
  Stat,
} from '../sdk/ports.ts';

/** What a command runs in. */
export interface CommandOptions {
  environment?: Readonly<Record<string, string>>;
  limits?: CommandLimits;
}

/** Asks the machine; changes nothing. */
export type Query =
  | { kind: 'file'; path: string }
  | { kind: 'stat'; path: string }
  | { kind: 'list'; path: string }
  | { kind: 'service'; name: string }
  | { kind: 'unit'; name: string }
  | { kind: 'program'; name: string }
  | ({ kind: 'output'; argv: readonly string[] } & CommandOptions)
  | { kind: 'mounts'; path: string }
  | { kind: 'runtime'; socket: string }
  | { kind: 'cgroups'; socket: string }
  | { kind: 'sandboxes'; socket: string }
  | { kind: 'download'; url: string }
  | { kind: 'http'; call: HttpCall }
  | { kind: 'roots' };

export interface Answers {
  file: Buffer | undefined;
  stat: Stat | undefined;
  list: string[] | undefined;
  service: ServiceStatus;
  unit: string | undefined;
  program: string | undefined;
  output: CommandResult;
  mounts: string[];
  runtime: RuntimeStatus;
  cgroups: CgroupDriver | undefined;
  sandboxes: PodSandbox[];
  download: string;
  http: HttpAnswer;
  roots: string;
}

/** Changes the machine. */
export type Change =
  | { kind: 'file'; path: string; content: Buffer; mode: number; secret: boolean; owner?: Owner }
  | { kind: 'directory'; path: string; mode: number; owner?: Owner }
  | { kind: 'link'; path: string; target: string }
  | { kind: 'remove'; path: string }
  | { kind: 'remove-tree'; path: string }
  | { kind: 'unmount'; path: string }
  | { kind: 'pod-sandbox'; socket: string; id: string; pod: string }
  | { kind: 'service'; name: string; action: ServiceAction }
  | ({
      kind: 'command';
      argv: readonly string[];
      undo: readonly string[] | undefined;
      irreversible: string | undefined;
    } & CommandOptions)
  /** `answered` is told what came back. */
  | { kind: 'http'; call: HttpCall; irreversible: string | undefined; answered: (answer: HttpAnswer) => void };

/** A change as it is told: in events, plans and results. Contents of secrets are not in it. */
export type StepChange =
  | {
      kind: 'file';
      path: string;
      action: 'create' | 'replace';
      mode: number;
      content: string | undefined;
      owner?: Owner;
    }
  | { kind: 'directory'; path: string; mode: number }
  | { kind: 'link'; path: string; target: string }
  | { kind: 'remove'; path: string }
  | { kind: 'remove-tree'; path: string }
  | { kind: 'unmount'; path: string }
  | { kind: 'pod-sandbox'; pod: string }
  | { kind: 'service'; name: string; action: ServiceAction }
  | { kind: 'command'; command: string; irreversible: string | undefined }
  | { kind: 'http'; method: string; url: string; irreversible: string | undefined }
  | {
      kind: 'api';
      verb: string;
      resource: string;
      name: string;
      checked: 'sent' | 'dry-run' | 'not-checked';
      why?: string;
    };

/** What a change is about, in a word. */
export function subjectOf(change: StepChange): string {
  if ('path' in change) return change.path;
  if (change.kind === 'service') return `service ${change.name}`;
  if (change.kind === 'api') return `${change.resource} ${change.name}`;
  if (change.kind === 'http') return `${change.method} ${change.url}`;
  return change.kind === 'command' ? change.command : `Pod ${change.pod}`;
}

/** One request to an API server. */
export interface ApiRequest {
  server: string;
  /** `unverified` believes any certificate, and is only ever sent without credentials. */
  as: Identity | { ca: string } | 'unverified';
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** What it is about; what has no ref is no object (an access review, say), and is never stored. */
  ref: ObjectRef | undefined;
  path: string;
  query: Readonly<Record<string, string>>;
  body: object | undefined;
}

export interface ApiAnswer {
  status: number;
  /** Set by a host that did not really send a change: the server checked it with `dryRun=All`, or why it could not. */
  dryRun?: 'checked' | { unchecked: string };
  /** Parsed JSON. */
  body: unknown;
  /** Server's clock minus ours, from the Date header. */
  clockSkewMs: number | undefined;
  /** How long to wait before asking again, where the server has said so. */
  retryAfterMs?: number | undefined;
}

export type Wait =
  /** For an object, by a watch; `done` may throw. */
  | { kind: 'object'; as: Identity; ref: ObjectRef; done: (object: unknown) => boolean; from: unknown }
  /** For what is in a file; `done` may throw. */
  | { kind: 'file'; path: string; done: (content: Buffer | undefined) => boolean }
  /** For a service to answer 200 at `url`. */
  | { kind: 'healthy'; service: string; url: string }
  | { kind: 'port'; host: string; port: number }
  | { kind: 'answer'; call: HttpCall };

/** What is waited for, in words. */
export function waitText(wait: Wait): string {
  switch (wait.kind) {
    case 'object':
      return `${wait.ref.resource} ${wait.ref.name}`;
    case 'file':
      return wait.path;
    case 'healthy':
      return `${wait.service} to answer at ${wait.url}`;
    case 'port':
      return `${wait.host}:${wait.port} to be open`;
    case 'answer':
      return `an answer of ${wait.call.url}`;
  }
}

export interface Host {
  facts: HostFacts;
  /** Nothing is really done here, so what only a run can show is not known. */
  isDry?: boolean;
  now(): Date;
  read<K extends Query['kind']>(query: Extract<Query, { kind: K }>, signal: AbortSignal): Promise<Answers[K]>;
  apply(change: Change, signal: AbortSignal): Promise<void>;
  send(request: ApiRequest, signal: AbortSignal): Promise<ApiAnswer>;
  /** The object waited for, or the bytes of the file; undefined for other waits. */
  wait(condition: Wait, signal: AbortSignal): Promise<unknown>;
}
