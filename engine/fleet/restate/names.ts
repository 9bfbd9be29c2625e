/** What the services of a fleet are called in Restate, and what they accept. */
import type { Fleet } from '../fleet.ts';
import type { FleetStatus } from '../status.ts';
import type { WorkflowContext } from './sdk.ts';

/** Keyed by rollout. */
export const ROLLOUT = { name: 'joinery-rollout' } as const;
/** Keyed by fleet. */
export const CONTROL = { name: 'joinery-control' } as const;
/** Keyed by fleet and host, so that Restate executes one request for a machine at a time. */
export const MACHINE = { name: 'joinery-machine' } as const;

export interface RolloutInput {
  fleet: Fleet;
  startedAt: string;
  /** Only undo machines of a rollout that has ended with this status. */
  undo?: { status: FleetStatus; wave?: number };
}

/** The handler of the workflow that others start. */
export interface RolloutService {
  run: (context: WorkflowContext, input: RolloutInput) => Promise<FleetStatus>;
}

export interface Begun {
  rollout: string;
  /** Whether the rollout has begun now; otherwise, it was unfinished. */
  isNew: boolean;
}

/** A request to one machine. */
export interface MachineRequest {
  /** The key of the workflow that asks; it has the fleet. */
  workflow: string;
  /** The rollout that joins the machine. An undo of it has another workflow. */
  rollout: string;
  host: string;
  attempt: number;
}

export const machineKey = (fleet: string, host: string): string => `${fleet}/${host}`;
