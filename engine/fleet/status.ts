/** What is known of a rollout: the answer of `fleet status`, and what the dashboard and the report display. */
import type { Role } from './fleet.ts';

export type HostState =
  | 'waiting'
  | 'joining'
  | 'joined'
  /** The machine was a Node of the cluster before the rollout. */
  | 'unchanged'
  | 'failed'
  | 'skipped'
  | 'undoing'
  | 'undone';

/** The steps of one machine, in their order. */
export const MACHINE_STEPS = ['reach', 'install', 'inspect', 'token', 'join', 'verify', 'revoke', 'undo'] as const;
export type MachineStep = (typeof MACHINE_STEPS)[number];

export interface HostError {
  code: string;
  message: string;
  /** The command that helps, as it can be typed on the operator's machine. */
  next?: string;
}

export interface HostStatus {
  name: string;
  role: Role;
  /** From 1; undefined for hosts that no wave has. */
  wave?: number;
  state: HostState;
  /** What happens to the machine now, or what failed. */
  step?: MachineStep;
  /** ID of the run on the machine, and the last of its events that the operator has seen. */
  run?: string;
  seq?: number;
  /** The step of the pipeline that runs on the machine. */
  pipelineStep?: string;
  /** What that step asks, and until when it waits (RFC 3339), if it waits for an approval. */
  approval?: { step: string; message: string; until: string };
  error?: HostError;
  /** RFC 3339, UTC. */
  startedAt?: string;
  endedAt?: string;
  /** How many times the fleet has tried to join the machine. */
  attempts: number;
}

export type WaveState = 'waiting' | 'running' | 'soaking' | 'succeeded' | 'stopped' | 'undone';

export interface WaveStatus {
  /** From 1. */
  number: number;
  state: WaveState;
  /** Names of its hosts, in the order of the document. */
  hosts: string[];
  startedAt?: string;
  endedAt?: string;
  /** Until when it soaks. */
  soaksUntil?: string;
}

export type RolloutState = 'running' | 'paused' | 'succeeded' | 'failed' | 'cancelled' | 'undone';

export interface FleetStatus {
  apiVersion: 'joinery.dev/v1';
  kind: 'FleetStatus';
  fleet: string;
  /** Of this rollout; a fleet can be rolled out again. */
  rollout: string;
  state: RolloutState;
  /** Why it is paused, or has failed. */
  reason?: string;
  startedAt: string;
  endedAt?: string;
  waves: WaveStatus[];
  hosts: HostStatus[];
  budget: { failedHosts: number; allowedHosts: number };
  /** Undefined if no operator process runs. */
  concurrency?: {
    /** Machines that join now, and how many may. */
    joining: number;
    limit: number;
    maximum: number;
    /** Why the limit is below the maximum, such as "API server: 429 at 10:02:11Z". */
    reason?: string;
  };
  /** Joined hosts per second, over the time in which any host was joining. */
  joinsPerSecond?: number;
}
