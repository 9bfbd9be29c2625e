/** What a journal says of its run, once all its records are read. */

import type { Before, StepChange } from '../host/changes/index.ts';
import type { StepStatus } from '../sdk/step-status.ts';
import type { Answer } from './approval.ts';
import type { ErrorRecord, JournalRecord, Start } from './records.ts';

export interface StepHistory {
  phase: string;
  /** `interrupted`: it began, and the journal ends before it did. */
  status: StepStatus | 'interrupted' | 'undoing';
  attempts: number;
  durationMs: number;
  /** Without secrets. */
  input: unknown;
  outputs?: unknown;
  error?: ErrorRecord;
}

export interface ApprovalHistory {
  message: string;
  until: string;
  answer?: Answer;
  /** When it was asked, or answered. */
  at: string;
}

export interface ChangeHistory {
  seq: number;
  step: string;
  change: StepChange;
  before: Before;
  /** sha256 of the file that was written. */
  after?: string;
  undone: boolean;
}

/** `interrupted`: it neither ended nor failed, so it runs, or was killed. `undoing`: a part of it is taken back. */
export type RunStatus = 'interrupted' | 'succeeded' | 'failed' | 'cancelled' | 'undoing' | 'undone';

export interface History {
  start: Start;
  endedAt: string;
  status: RunStatus;
  /** In the order in which they first began. */
  steps: Map<string, StepHistory>;
  changes: ChangeHistory[];
  /** By step: the last time that somebody was asked, and what they said. */
  approvals: Map<string, ApprovalHistory>;
  error?: ErrorRecord;
}

export function historyOf(records: readonly JournalRecord[]): History {
  const [start] = records;
  if (start?.kind !== 'start') throw new Error('a journal begins with its start');
  const history: History = {
    start,
    endedAt: start.at,
    status: 'interrupted',
    steps: new Map(),
    changes: [],
    approvals: new Map(),
  };
  for (const record of records) take(history, record);
  return history;
}

/** Steps that wait for an answer, or would if the run went on. */
export const openApprovals = (history: History): string[] =>
  isClosed(history) ? [] : [...history.approvals].flatMap(([step, { answer }]) => (answer === undefined ? step : []));

/** Nothing is left to go on with. */
export const isClosed = ({ status }: History): boolean => status === 'succeeded' || status === 'undone';

function take(history: History, record: JournalRecord): void {
  history.endedAt = record.at;
  switch (record.kind) {
    case 'resumed':
      reopen(history);
      break;
    case 'begun': {
      const { phase, attempt, input } = record;
      history.steps.set(record.step, { phase, status: 'interrupted', attempts: attempt, durationMs: 0, input });
      break;
    }
    case 'change':
      history.changes.push({ ...record, undone: false });
      break;
    case 'done': {
      const { status, attempts, durationMs, outputs, error } = record;
      const step = history.steps.get(record.step);
      if (step === undefined) break; // it was cancelled before its first attempt
      Object.assign(step, { status, attempts, durationMs, outputs });
      if (error === undefined) delete step.error;
      else step.error = error;
      break;
    }
    case 'asked': {
      const { message, until, at } = record;
      history.approvals.set(record.step, { message, until, at });
      break;
    }
    case 'answered': {
      const asked = history.approvals.get(record.step);
      if (asked !== undefined) Object.assign(asked, { answer: record.answer, at: record.at });
      break;
    }
    case 'skipped': {
      const { phase } = record;
      history.steps.set(record.step, { phase, status: 'skipped', attempts: 0, durationMs: 0, input: {} });
      break;
    }
    case 'undoing': {
      history.status = 'undoing';
      const begun = history.steps.get(record.step);
      if (begun !== undefined) begun.status = 'undoing';
      break;
    }
    case 'undone':
      history.status = 'undoing';
      undo(history, record);
      break;
    case 'finished':
      history.status = record.status;
      if (record.error !== undefined) history.error = record.error;
      break;
    default:
      break;
  }
}

/** A run that failed goes on; a step that failed is one that never ended. */
function reopen(history: History): void {
  history.status = 'interrupted';
  delete history.error;
}

/** A step of which anything was taken back is not done any more. */
function undo({ steps, changes }: History, record: Extract<JournalRecord, { kind: 'undone' }>): void {
  const change = 'change' in record ? changes.find(({ seq }) => seq === record.change) : undefined;
  if (change !== undefined) change.undone = true;
  const step = steps.get('step' in record ? record.step : (change?.step ?? ''));
  if (step !== undefined) step.status = 'undone';
}
