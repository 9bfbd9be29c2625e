/**
 * The ports: a phase uses the machine and the cluster only through them. They are the same in a run, a dry run and a
 * test.
 */
import type { Etcd } from './ports/etcd.ts';
import type { Kube } from './ports/kube.ts';
import type { Runtime } from './ports/runtime.ts';
import type { Web } from './ports/web.ts';
import type { Secret } from './secret.ts';

export type * from './ports/etcd.ts';
export type * from './ports/kube.ts';
export type * from './ports/runtime.ts';
export type * from './ports/web.ts';

/**
 * Everything that a phase can use. Joinery passes it to `run` and `undo`.
 *
 * @example
 * async run({ files, log }, { text }) {
 *   await files.write('/etc/motd', text, 0o644);
 *   log.info('wrote the greeting');
 *   return {};
 * }
 * @stable
 */
export interface Ports {
  files: Files;
  services: Services;
  commands: Commands;
  mounts: Mounts;
  runtime: Runtime;
  web: Web;
  kube: Kube;
  etcd: Etcd;
  clock: Clock;
  random: Random;
  log: Log;
  /** Aborts when the time limit of the step passes or the run is cancelled. After that, every port refuses to work. */
  signal: AbortSignal;
}

/**
 * What `files.stat` returns.
 * @stable
 */
export interface Stat {
  kind: 'file' | 'directory' | 'link' | 'socket' | 'other';
  /** Permission bits. */
  mode: number;
  /** Owner; absent on a host in memory. */
  uid?: number;
  gid?: number;
  /** Target of a link, as it is stored. */
  target?: string;
}

/**
 * Numeric owner of a file.
 * @stable
 */
export interface Owner {
  uid: number;
  gid: number;
}

/**
 * Files of the machine. Paths are absolute. Reads follow links; `stat` does not. Error: E_FILE.
 * @stable
 */
export interface Files {
  /** The bytes (at most 4 MiB), or undefined if the file does not exist. */
  read(path: string): Promise<Buffer | undefined>;
  /** Undefined if nothing exists at the path. */
  stat(path: string): Promise<Stat | undefined>;
  /**
   * Watches the file until `done` returns true, and returns its bytes. `done` gets undefined if the file does not
   * exist, and may throw
   * an error to give up.
   */
  waitFor(path: string, done: (content: Buffer | undefined) => boolean): Promise<Buffer | undefined>;
  /** The names in a directory, sorted, or undefined if it does not exist. */
  list(path: string): Promise<string[] | undefined>;
  /**
   * Replaces the file atomically and durably, with `mode` and `owner` from the first byte. Creates missing parents
   * (0755).
   * Nothing changes if content, mode and owner are already equal.
   */
  write(path: string, content: string | Buffer | Secret, mode: number, owner?: Owner): Promise<void>;
  /** Creates the directory if it does not exist. */
  directory(path: string, mode: number): Promise<void>;
  /** Creates or replaces a link. It is an error if another kind of file exists at the path. */
  link(path: string, target: string): Promise<void>;
  /** Deletes a file or link, if it exists. */
  remove(path: string): Promise<void>;
  /** Deletes a directory and everything below it, without undo. E_FILE if a file system is still mounted below it. */
  removeTree(path: string): Promise<void>;
}

/**
 * Actions on a service. `reload` makes the service manager read its unit files again; `reload-service` makes the
 * service itself read
 * its configuration again.
 * @stable
 */
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

/**
 * What `services.status` returns.
 * @stable
 */
export interface ServiceStatus {
  manager: 'systemd' | 'openrc' | 'none';
  exists: boolean;
  enabled: boolean;
  /** A masked service cannot be started. */
  masked?: boolean;
  /** Why the service cannot be started although it exists; absent otherwise. */
  unusable?: string;
  active: boolean;
  /** The service is down, or its manager keeps restarting it: waiting longer does not help. */
  failed: boolean;
}

/**
 * Services of the machine, through systemd or OpenRC. Errors: E_SERVICE_MISSING, E_SERVICE_ACTION, E_SERVICE_MANAGER,
 * E_COMMAND_FAILED.
 * @stable
 */
export interface Services {
  status(name: string): Promise<ServiceStatus>;
  /** The unit with its drop-ins, or undefined if the service manager has no such text. */
  unit(name: string): Promise<string | undefined>;
  /**
   * The last error in the log of the service. It also answers for 3 s after the time limit has passed, to report why.
   */
  lastError(name: string): Promise<string>;
  /** No change if the service is already active. */
  start(name: string): Promise<void>;
  /** No change if the service is not active. */
  stop(name: string): Promise<void>;
  /** Starts the service if it is not active. An undo restarts it after the earlier files are back. */
  restart(name: string): Promise<void>;
  /** Makes the service manager read its unit files again. */
  reload(name: string): Promise<void>;
  /** Makes the service itself read its configuration again. */
  reloadService(name: string): Promise<void>;
  /**
   * Sets whether the service starts with the machine. No change if that is already so, or if the unit cannot be
   * enabled.
   */
  enable(name: string, enabled: boolean): Promise<void>;
  /** Sets whether the service is masked. No change if that is already so. */
  mask(name: string, masked: boolean): Promise<void>;
  /**
   * Waits until `url` returns 200 on this machine. E_SERVICE_FAILED, with the last log line, if the service manager
   * gives the service up;
   * E_HEALTH when the time limit passes. `program` answers at the URL, if it is not the service itself, but one that
   * the service starts.
   */
  waitHealthy(name: string, url: string, program?: string): Promise<void>;
}

/**
 * What `commands.query` returns.
 * @stable
 */
export interface CommandResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/**
 * Limits of one command.
 * @stable
 */
export interface CommandLimits {
  /** Milliseconds (default 30,000). */
  timeMs?: number;
  /** Bytes of each of the two outputs (default 1 MiB). */
  outputBytes?: number;
}

/**
 * Programs of the machine. Error: E_COMMAND_FAILED.
 * @stable
 */
export interface Commands {
  /** The path of the program on the PATH of the machine, if it exists. */
  find(program: string): Promise<string | undefined>;
  /**
   * Runs a command that only reads. `environment` is added to the few variables that every child process gets.
   * `PROGRAM --version` is answered from an earlier call of any step, at most 10 s old, if nothing has changed.
   */
  query(
    argv: readonly string[],
    environment?: Readonly<Record<string, string>>,
    limits?: CommandLimits,
  ): Promise<CommandResult>;
  /**
   * Runs a command that changes the machine. `way` is the command that undoes it, or the reason why it cannot be
   * undone.
   * E_COMMAND_FAILED unless the exit code is 0.
   */
  run(
    argv: readonly string[],
    way: { undo: readonly string[] } | { irreversible: string },
    environment?: Readonly<Record<string, string>>,
    limits?: CommandLimits,
  ): Promise<void>;
}

/**
 * Mounted file systems.
 * @stable
 */
export interface Mounts {
  /** The mount points below `path`, with links resolved, in the order to unmount them. */
  below(path: string): Promise<string[]>;
  /** Unmounts the path, lazily if it is busy. No change if it is not mounted. */
  unmount(path: string): Promise<void>;
}

/**
 * The current time. Phases use it instead of `new Date()`, so that tests control it.
 * @stable
 */
export interface Clock {
  now(): Date;
}

/**
 * Creates a random value. Several can be in progress at once.
 * @stable
 */
export type MakeRandom = () => string | Promise<string>;

/**
 * Random values that survive a retry or a crash. Joinery deletes them when the run ends.
 * @stable
 */
export interface Random {
  /** The value of this name in this run. `make` creates it once; it is durable before it is returned. */
  once(name: string, make: MakeRandom): Promise<Secret>;
  /** Creates the value again, and drops the earlier one. */
  again(name: string, make: MakeRandom): Promise<Secret>;
}

/**
 * Messages of a step, as one line each. Joinery prints them with the step and records them.
 * @stable
 */
export interface Log {
  info(text: string): void;
  warn(text: string): void;
}

/**
 * Facts about the machine that a pipeline reads as `host.…`.
 * @stable
 */
export interface HostFacts {
  /** Host name in lower case: kubeadm's default node name. */
  name: string;
  /** Whether changes to the system are allowed: as root, or as any user below `--root`. */
  privileged: boolean;
  /** In Kubernetes' spelling: `amd64`, `arm64`. */
  architecture: string;
  /** `ID` of os-release, for example `debian` or `rhel`; `linux` if it is absent. */
  distribution: string;
}
