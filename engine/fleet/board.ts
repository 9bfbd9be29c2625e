/** What the dashboard displays, and what it asks for. The process of the operator implements it. */
import type { RunEvent } from '../sdk/events.ts';
import type { FleetStatus } from './status.ts';

/** What a rollout does itself. The other actions are those of one machine. */
export type RolloutAction =
  | { action: 'pause' }
  | { action: 'resume' }
  | { action: 'retry'; host: string }
  | { action: 'skip'; host: string }
  /** Machines that join now finish; no other one starts. */
  | { action: 'cancel' }
  /** Rolls back the machines of one wave, or of all, and ends the rollout. */
  | { action: 'undo'; wave?: number };

/** The answer to a step that waits for an approval (`HostStatus.approval`), as `join approve` gives it. */
export type ApprovalAction = { action: 'approve' | 'deny'; host: string; step: string };

export type FleetAction = RolloutAction | ApprovalAction;

export const isApproval = (action: FleetAction): action is ApprovalAction =>
  action.action === 'approve' || action.action === 'deny';

export interface FleetBoard {
  /** Whether the rollout is known. After a crash, Restate has to repeat it first; `status` throws until then. */
  readonly isKnown: boolean;
  status(): FleetStatus;
  /** Calls the listener after each change of the status or of a host's events. The returned function ends that. */
  onChange(listener: () => void): () => void;
  /** The events of the host's newest run that are known here, oldest first. */
  eventsOf(host: string): RunEvent[];
  /** Resolves when the action is recorded, and throws a JoinError if it is not possible. */
  act(action: FleetAction): Promise<void>;
}

/** The page that displays a board. */
export interface Dashboard {
  /** The address of the page, with a secret that is valid once. It replaces an earlier link. */
  link(): string;
  close(): Promise<void>;
}
