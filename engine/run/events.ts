/** The events of a run, and the result of each step. */

import type { StepChange } from '../host/changes/index.ts';
import type { UndoItem } from '../journal/undo.ts';
import type { StepStatus } from '../sdk/step-status.ts';
import type { Question } from './approval.ts';
import type { MachineEvent } from './step-machine.ts';

export type RunEvent =
  | MachineEvent
  /** The step was done before the run was resumed. */
  | { type: 'step.kept'; id: string }
  | { type: 'step.asked'; id: string; question: Question }
  | { type: 'step.log'; id: string; level: 'info' | 'warn'; text: string }
  | { type: 'step.change'; id: string; change: StepChange }
  /** The step starts to wait for `what`. */
  | { type: 'step.wait'; id: string; what: string }
  | { type: 'step.restored'; id: string; item: UndoItem };

export interface StepResult {
  id: string;
  phase: string;
  status: StepStatus;
  attempts: number;
  durationMs: number;
  notes: { level: 'info' | 'warn'; text: string }[];
  changes: StepChange[];
  /** As in the schema of the phase. Secrets are `Secret`s. */
  outputs?: unknown;
  error?: unknown;
}
