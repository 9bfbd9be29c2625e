/** What a run tells while it is at work, and what is known of each of its steps in the end. */

import type { StepChange } from '../host/changes/index.ts';
import type { UndoItem } from '../journal/undo.ts';
import type { StepStatus } from '../sdk/step-status.ts';
import type { Question } from './approval.ts';
import type { MachineEvent } from './step-machine.ts';

export type RunEvent =
  | MachineEvent
  /** It was done before this process began. */
  | { type: 'step.kept'; id: string }
  | { type: 'step.asked'; id: string; question: Question }
  | { type: 'step.log'; id: string; level: 'info' | 'warn'; text: string }
  | { type: 'step.change'; id: string; change: StepChange }
  /** It begins to wait for something: `what` says for what. */
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
  /** Typed by the phase's schema; secrets are `Secret`s. */
  outputs?: unknown;
  error?: unknown;
}
