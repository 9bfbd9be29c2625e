/** What the page displays. Types only, because a browser loads the page. */
import type { FleetStatus } from '../../engine/fleet/status.ts';
import type { StepStatus } from '../../engine/sdk/step-status.ts';

export interface ErrorView {
  code: string;
  message: string;
  /** The next step for the user; may be empty. */
  hint: string;
}

export interface StepView {
  id: string;
  /** `asking`: it waits for an approval. */
  state: StepStatus | 'waiting' | 'running' | 'asking' | 'undoing';
  startedAt?: string;
  endedAt?: string;
  attempts: number;
  /** What the step has changed, one line each. */
  changes: string[];
  /** What the step waits for, or asks. */
  detail?: string;
  error?: ErrorView;
}

export interface LineView {
  at: string;
  /** Undefined for a line about the whole run. */
  step?: string;
  level: 'info' | 'warn' | 'error';
  text: string;
}

/** A run of one machine. It holds neither the content of files nor the outputs of steps. */
export interface RunView {
  run: string;
  pipeline: string;
  machine: string;
  state: 'running' | 'succeeded' | 'failed' | 'cancelled' | 'undone';
  startedAt: string;
  endedAt?: string;
  steps: StepView[];
  /** The last lines. */
  lines: LineView[];
  /** How many earlier lines the view omits. */
  omitted: number;
  error?: ErrorView;
}

/** What a static report contains, at the time of `at`. */
export type Report =
  | { kind: 'rollout'; at: string; status: FleetStatus; runs: Record<string, RunView> }
  | { kind: 'run'; at: string; run: RunView };

/** What the page gets when the rollout changes. */
export interface StatusMessage {
  /** Of a part, `hosts` has only those that have changed since the last message. */
  isPart: boolean;
  status: FleetStatus;
}
