/** The ports: all that a phase may touch. Handed in by the engine, never imported; the same for a run, a dry run and a test. */
import type { Secret } from './secret.ts';

export interface Ports {
  files: Files;
  services: Services;
  commands: Commands;
  mounts: Mounts;
  runtime: Runtime;
  web: Web;
  kube: Kube;
  clock: Clock;
  random: Random;
  log: Log;
  /** Aborted when the step's time limit has passed or the run is cancelled; from then on every port refuses. */
  signal: AbortSignal;
}

export interface Stat {
  kind: 'file' | 'directory' | 'link' | 'socket' | 'other';
  /** Permission bits. */
  mode: number;
  /** Whose it is; a memory host does not say. */
  uid?: number;
  gid?: number;
  /** Where a link points, as it is written. */
  target?: string;
}

export interface Owner {
  uid: number;
  gid: number;
}

/** Paths are absolute. Reads follow links; `stat` does not. */
export interface Files {
  /** The bytes (at most 4 MiB), or undefined where there is no file. */
  read(path: string): Promise<Buffer | undefined>;
  stat(path: string): Promise<Stat | undefined>;
  /** Watches the file until `done` says so, and gives its bytes; `done` sees undefined while there is none, and may throw to give up. */
  waitFor(path: string, done: (content: Buffer | undefined) => boolean): Promise<Buffer | undefined>;
  /** The names in a directory, sorted, or undefined where there is none. */
  list(path: string): Promise<string[] | undefined>;
  /** Replaces the file at once and durably, with `mode` and `owner` from the first byte; makes missing parents (0755). Equal content, mode and owner: no change. */
  write(path: string, content: string | Buffer | Secret, mode: number, owner?: Owner): Promise<void>;
  /** Makes the directory where it is missing. */
  directory(path: string, mode: number): Promise<void>;
  /** Replaces a link, or makes it. A file of that name is an error. */
  link(path: string, target: string): Promise<void>;
  /** Removes a file or link; one that is not there is no change. */
  remove(path: string): Promise<void>;
  /** Removes what is there with all below it, and is not taken back. E_FILE where something is still mounted below. */
  removeTree(path: string): Promise<void>;
}

/** `reload` makes the manager read its unit files again, `reload-service` the service its configuration. */
export type ServiceAction =
  | 'start'
  | 'stop'
  | 'restart'
  | 'reload'
  | 'reload-service'
  | 'enable'
  | 'disable'
  | 'mask'
  | 'unmask';

export interface ServiceStatus {
  manager: 'systemd' | 'openrc' | 'none';
  exists: boolean;
  enabled: boolean;
  /** Nobody can start it. */
  masked?: boolean;
  active: boolean;
  /** It is down, or its manager restarts it again and again: once it was started, there is nothing more to wait for. */
  failed: boolean;
}

export interface Services {
  status(name: string): Promise<ServiceStatus>;
  /** The unit with its drop-ins, or undefined where the manager shows none. */
  unit(name: string): Promise<string | undefined>;
  /** One that is active already is no change. */
  start(name: string): Promise<void>;
  /** One that is not active is no change. */
  stop(name: string): Promise<void>;
  /** One that is not active is started. When it is undone, it is restarted on the files of before. */
  restart(name: string): Promise<void>;
  /** Makes the manager read its unit files again. */
  reload(name: string): Promise<void>;
  /** Makes the service itself read its configuration again. */
  reloadService(name: string): Promise<void>;
  /** Whether it is started with the machine. What it is already is no change; nor is it for a unit that cannot be enabled. */
  enable(name: string, enabled: boolean): Promise<void>;
  /** Whether nobody can start it. What it is already is no change. */
  mask(name: string, masked: boolean): Promise<void>;
  /** Until `url` answers 200 on this machine. E_SERVICE_FAILED, with its last words, as soon as its manager has given it up; E_HEALTH when the time is up. */
  waitHealthy(name: string, url: string): Promise<void>;
}

export interface CommandResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface CommandLimits {
  /** 30 s where it is left out. */
  timeMs?: number;
  /** Of each of its two outputs; 1 MiB where it is left out. */
  outputBytes?: number;
}

export interface Commands {
  /** Where the program is on the machine's PATH. */
  find(program: string): Promise<string | undefined>;
  /** Runs a command that only reads, with `environment` beside the little that every child gets. */
  query(
    argv: readonly string[],
    environment?: Readonly<Record<string, string>>,
    limits?: CommandLimits,
  ): Promise<CommandResult>;
  /** Runs a command that changes the machine, and says how that is taken back, or why it cannot be. E_COMMAND_FAILED unless it exits 0. */
  run(
    argv: readonly string[],
    way: { undo: readonly string[] } | { irreversible: string },
    environment?: Readonly<Record<string, string>>,
    limits?: CommandLimits,
  ): Promise<void>;
}

export interface Mounts {
  /** What is mounted below `path`, every link in it followed; in the order to unmount it. */
  below(path: string): Promise<string[]>;
  /** Unmounts it, lazily where it is busy. What is not mounted is no change. */
  unmount(path: string): Promise<void>;
}

export interface PodSandbox {
  id: string;
  /** Of its Pod. */
  name: string;
  namespace: string;
}

export interface RuntimeStatus {
  name: string;
  version: string;
  /** Of the CRI. */
  apiVersion: 'v1' | 'v1alpha2';
  /** Whether it can run containers; its network comes later, with a CNI plugin. */
  ready: boolean;
  /** Why not, in its own words. */
  message: string;
}

export type CgroupDriver = 'systemd' | 'cgroupfs';

/** The container runtime, over the CRI; `socket` as in `--cri-socket`. Errors: E_CRI_UNREACHABLE, E_CRI_REFUSED, E_CRI_ABSENT. */
export interface Runtime {
  status(socket: string): Promise<RuntimeStatus>;
  /** Undefined where it does not say. */
  cgroupDriver(socket: string): Promise<CgroupDriver | undefined>;
  podSandboxes(socket: string): Promise<PodSandbox[]>;
  /** Stops and removes it, with its containers. */
  removePodSandbox(socket: string, sandbox: PodSandbox): Promise<void>;
}

/** One call, and what its answer must be. No redirect is followed. */
export interface HttpCall {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** https://, or http:// to this machine itself. */
  url: string;
  headers?: Readonly<Record<string, string | Secret>>;
  body?: string | Secret;
  /** PEM of the certificates that vouch for the server, instead of those that this machine trusts. */
  ca?: string;
  /** What its answer must be; left out: any status from 200 to 299. */
  expect?: {
    statuses?: readonly number[];
    /** What its JSON must hold, and maybe more. */
    json?: unknown;
  };
}

export interface HttpAnswer {
  status: number;
  /** At most 1 MiB. */
  body: string;
}

export interface Web {
  /** What is at an https:// address: at most 1 MiB, through this machine's proxy, trusted by its own roots. E_DOWNLOAD, E_API_… */
  get(url: string): Promise<string>;
  /** Errors: E_HTTP_ANSWER, E_HTTP_UNREACHABLE, E_API_CERTIFICATE_…. A call that changes something says why that stays, where no `undo` of its phase takes it back. */
  call(call: HttpCall, irreversible?: string): Promise<HttpAnswer>;
  /** Until the answer is as expected; asked again with a pause that grows to 2 s. E_WAIT when the time is up. */
  waitFor(call: HttpCall): Promise<void>;
  /** Until something accepts TCP connections there. E_WAIT when the time is up. */
  waitForPort(host: string, port: number): Promise<void>;
  /** PEM bundle of the certificates that this machine trusts by itself. */
  roots(): Promise<string>;
}

/** An API server and the certificates that vouch for it. */
export interface Cluster {
  /** `https://host:port` */
  server: string;
  /** PEM bundle. */
  ca: string;
}

/** Who speaks to the cluster: a bearer token, or a client certificate with its key. */
export interface Identity extends Cluster {
  token?: Secret;
  certificate?: { pem: string; key: Secret };
}

/** One API object: `{ apiVersion: 'v1', resource: 'nodes', name: 'w1' }`. */
export interface ObjectRef {
  apiVersion: string;
  /** Plural, as in URLs and in RBAC. */
  resource: string;
  name: string;
  namespace?: string;
}

export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: {
    name?: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
}

export interface ClusterInfo {
  /** The ConfigMap's data: `kubeconfig` and one `jws-kubeconfig-<token id>` per token. */
  data: Record<string, string>;
  /** Server's clock minus this machine's, from the Date header; whole seconds are all it knows. */
  clockSkewMs: number | undefined;
}

export interface Kube {
  /** `kube-public/cluster-info`, read anonymously. `unverified` is the only call that believes any certificate: check what it says. */
  clusterInfo(server: string, trust: 'unverified' | { ca: string }): Promise<ClusterInfo>;
  as(identity: Identity): KubeApi;
}

/** The API as one identity sees it. Errors: E_API_UNREACHABLE, E_API_CERTIFICATE_…, E_API_UNAUTHORIZED, E_API_FORBIDDEN, E_API_ANSWER. */
export interface KubeApi {
  /** The object, or undefined where there is none. */
  get<T extends KubeObject>(ref: ObjectRef): Promise<T | undefined>;
  /** The object as stored, or undefined where the name is taken. */
  create<T extends KubeObject>(ref: ObjectRef, object: T): Promise<T | undefined>;
  /** Strategic merge patch; of the object's status, where `subresource` says so. */
  patch<T extends KubeObject>(ref: ObjectRef, patch: object, subresource?: 'status'): Promise<T>;
  /**
   * Watches the object until `done` says so; `done` may throw to give up, and sees undefined while there is none.
   * `from` is the object as it was last seen, so that nothing in between is missed and nothing is read twice.
   */
  waitFor<T extends KubeObject>(ref: ObjectRef, done: (object: T | undefined) => boolean, from?: T): Promise<T>;
  /** Whether this identity may do it (SelfSubjectAccessReview). */
  can(verb: string, apiGroup: string, resource: string, subresource?: string): Promise<boolean>;
  /** The server's release: `v1.20.2`. */
  serverVersion(): Promise<string>;
  /** Server's clock minus this machine's at the last answer. */
  clockSkewMs(): number | undefined;
}

export interface Clock {
  now(): Date;
}

export interface Random {
  /** A random value made once in this run: durable before it is returned, and the same after a retry or a crash. Gone when the run ends. */
  once(name: string, make: () => string): Promise<Secret>;
  /** Makes it anew: the one before is of no more use. */
  again(name: string, make: () => string): Promise<Secret>;
}

export interface Log {
  /** A fact worth knowing afterwards: shown with the step. */
  info(text: string): void;
  warn(text: string): void;
}

/** Facts about the machine that a pipeline may read as `host.…`. */
export interface HostFacts {
  /** Lower case, trimmed: kubeadm's default node name. */
  name: string;
  /** Changes to the system are allowed: root, or any user below `--root`. */
  privileged: boolean;
  /** As Kubernetes calls it: `amd64`, `arm64`. */
  architecture: string;
  /** `ID` of os-release: `debian`, `rhel`; `linux` where there is none. */
  distribution: string;
}
