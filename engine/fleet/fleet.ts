/** A checked Fleet document: every host is known by name, and every default is filled in. */

export type Role = 'worker' | 'control-plane';

/** How the operator reaches a machine. */
export type Transport =
  | {
      kind: 'ssh';
      /** Undefined: as ssh_config says. */
      user?: string;
      port?: number;
      identityFile?: string;
      /** Of `ssh -J`. */
      jump?: string;
      /** Read in place of ~/.ssh/config. */
      configFile?: string;
      /** Whether commands run through `sudo -n`. */
      sudo: boolean;
    }
  /** A program and its arguments, to which the command of the machine is appended. */
  | { kind: 'exec'; command: string[] }
  /** A scratch root on the operator's own machine: for tests and simulations. */
  | { kind: 'local'; root: string };

export interface Host {
  /** Unique in the fleet: letters, digits, dots and hyphens. */
  name: string;
  /** A DNS name or an IP address. Unused by `exec` and `local`. */
  address: string;
  transport: Transport;
  role: Role;
  /** For `proceedIf` and the dashboard; they are not labels of the Node. */
  labels: Record<string, string>;
  /** Of `join run --env`, after those of the fleet. */
  environments: string[];
  /** Inputs of the pipeline, by name. */
  variables: Record<string, string>;
}

/** How many hosts a wave has. */
export type WaveSize = { hosts: number } | { percent: number } | 'rest';

export type OnBudgetExceeded = 'pause' | 'stop' | 'undo';

export interface Rollout {
  waves: WaveSize[];
  /** Machines that join at the same time; fewer while the API server is slow. */
  maxParallel: number;
  /** Failed hosts of the whole rollout that are accepted. */
  failureBudget: { hosts: number } | { percent: number };
  /** Between two waves. */
  soakMs: number;
  /** CEL over the results of a wave; undefined means always. */
  proceedIf: string | undefined;
  onBudgetExceeded: OnBudgetExceeded;
}

export interface Fleet {
  name: string;
  /** Path of the admin kubeconfig. */
  kubeconfig: string;
  hosts: Host[];
  pipelines: Record<Role, string>;
  environments: string[];
  rollout: Rollout;
  /** Lifetime of the bootstrap token of each machine. */
  tokenTtlMs: number;
  /** Who approves the certificate requests of kubelets: the cluster by itself, or the fleet. */
  approval: 'cluster' | 'fleet';
}
