/** What a rollout does to one machine. Each step asks the machine or the cluster first, so repeating it is harmless. */
import type { RunEvent } from '../run/run.ts';
import type { Fleet, Host } from './fleet.ts';

export interface MachineContext {
  fleet: Fleet;
  rollout: string;
  host: Host;
  /** From 1. Each attempt has its own token. */
  attempt: number;
  signal: AbortSignal;
}

/** What the machine says of its newest run. */
export interface Inspection {
  /** `none`: nothing to resume and no Node; `running`: attach; `unfinished`: resume; `joined`: nothing to do. */
  state: 'none' | 'running' | 'unfinished' | 'joined';
  run?: string;
}

export interface JoinWatch {
  /** The first event that is wanted: 1, or the one after the last that was seen. */
  fromSeq: number;
  onEvent(event: RunEvent): void;
}

/** Each throws a JoinError; `engine/fleet/rollout` decides what is tried again. */
export interface MachineSteps {
  /** E_FLEET_UNREACHABLE, E_FLEET_HOST_KEY, E_FLEET_AUTH, E_FLEET_SUDO. */
  reach(context: MachineContext): Promise<{ architecture: 'x64' | 'arm64'; hostName: string }>;
  /** Copies the executable if the machine has another one, or none. */
  install(context: MachineContext): Promise<{ digest: string; changed: boolean }>;
  inspect(context: MachineContext): Promise<Inspection>;
  /** Returns the ID of the machine's own token, which exists from now on. The secret never leaves this process. */
  token(context: MachineContext): Promise<string>;
  /** Runs, resumes or follows the join; returns when the run has ended. */
  join(
    context: MachineContext,
    found: Inspection,
    tokenId: string | undefined,
    watch: JoinWatch,
  ): Promise<{ run: string }>;
  /** Answers a step of the run on the machine that waits for an approval, as `join approve` does. */
  answer(
    context: MachineContext,
    run: string,
    answer: { step: string; decision: 'approved' | 'denied'; reason: string },
  ): Promise<void>;
  /** E_FLEET_NODE if the cluster does not have the Node of this machine. */
  verify(context: MachineContext): Promise<{ node: string; uid: string }>;
  revoke(context: MachineContext, tokenId: string): Promise<void>;
  /** Undoes the run of this rollout; a machine without one is left alone. */
  undo(context: MachineContext, run: string | undefined): Promise<void>;
}
