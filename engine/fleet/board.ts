/** What the dashboard displays, and what it asks for. The process of the operator implements it. */
import type { RunEvent } from '../sdk/events.ts';
import type { FleetStatus } from './status.ts';

export type FleetAction =
  | { action: 'pause' }
  | { action: 'resume' }
  | { action: 'retry'; host: string }
  | { action: 'skip'; host: string }
  /** The answer to a step that waits for an approval (`HostStatus.approval`), as `join approve` gives it. */
  | { action: 'approve' | 'deny'; host: string; step: string };

export interface FleetBoard {
  status(): FleetStatus;
  /** Calls the listener after each change of the status or of a host's events. The returned function ends that. */
  onChange(listener: () => void): () => void;
  /** The events of the host's newest run that are known here, oldest first. */
  eventsOf(host: string): RunEvent[];
  /** Resolves when the action is recorded, and throws a JoinError if it is not possible. */
  act(action: FleetAction): Promise<void>;
}
