/** The history of a run, derived from the records of its journal. */

import type { Before, StepChange } from '../host/changes/index.ts';
import type { StepStatus } from '../sdk/step-status.ts';
import type { Answer } from './approval.ts';
import type { ErrorRecord, JournalRecord, Start } from './records.ts';

export interface StepHistory {
  phase: string;
  /** `interrupted`: the step started, and the journal does not record its end. */
  status: StepStatus | 'interrupted' | 'undoing';
  attempts: number;
  /** Of the step, or of its undo once it is undone. */
  durationMs: number;
  undoStartedAt?: string;
  /** Without secrets. */
  input: unknown;
  outputs?: unknown;
  error?: ErrorRecord;
}

export interface ApprovalHistory {
  message: string;
  until: string;
  answer?: Answer;
  /** When the question was asked or answered. */
  at: string;
}

export interface ChangeHistory {
  seq: number;
  step: string;
  change: StepChange;
  before: Before;
  /** SHA-256 of the file that was written. */
  after?: string;
  /** An undo has processed the change. */
  undone: boolean;
  /** Nothing undoes the change, so it stays. */
  stays?: true;
}

/** How many changes a run has made, and what an undo has done with them. */
export interface ChangeCounts {
  made: number;
  undone: number;
  /** Processed by an undo that could not or should not undo them. */
  kept: number;
}

/**
 * `interrupted`: the run is running, or was killed. `undoing`: a part of it is undone. `reset`: the machine was reset.
 */
export type RunStatus = 'interrupted' | 'succeeded' | 'failed' | 'cancelled' | 'undoing' | 'undone' | 'reset';

export interface History {
  start: Start;
  endedAt: string;
  /** How long no process worked on the run: from its end to its resumption or undo. */
  idleMs: number;
  status: RunStatus;
  /** In the order in which they first started. */
  steps: Map<string, StepHistory>;
  changes: ChangeHistory[];
  /** By step: the last question, and its answer. */
  approvals: Map<string, ApprovalHistory>;
  error?: ErrorRecord;
}

export function historyOf(records: readonly JournalRecord[]): History {
  const [start] = records;
  if (start?.kind !== 'start') throw new Error('the first record of a journal is its start');
  const history: History = {
    start,
    endedAt: start.at,
    idleMs: 0,
    status: 'interrupted',
    steps: new Map(),
    changes: [],
    approvals: new Map(),
  };
  for (const record of records) extendHistory(history, record);
  return history;
}

/** Steps that wait for an answer, or will wait again when the run is resumed. */
export const openApprovals = (history: History): string[] =>
  isClosed(history) ? [] : [...history.approvals].flatMap(([step, { answer }]) => (answer === undefined ? step : []));

export const changeCounts = ({ changes }: History): ChangeCounts => ({
  made: changes.length,
  undone: changes.filter(({ undone, stays }) => undone && stays !== true).length,
  kept: changes.filter(({ stays }) => stays).length,
});

/** Whether the run is over, so that it cannot be resumed. */
export const isClosed = (history: History): boolean => history.status === 'succeeded' || isUndone(history);

/** Whether nothing is left of the run that an undo could restore. */
export const isUndone = ({ status }: History): boolean => status === 'undone' || status === 'reset';

/** After these, only another process adds records. */
const ENDED: ReadonlySet<RunStatus> = new Set(['succeeded', 'failed', 'cancelled', 'undone', 'reset']);

/** Adds a record that follows those of the history. */
export function extendHistory(history: History, record: JournalRecord): void {
  if (record.kind === 'resumed' || ENDED.has(history.status))
    history.idleMs += Date.parse(record.at) - Date.parse(history.endedAt);
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
    case 'refused':
      refuse(history.changes, record.change);
      break;
    case 'done': {
      const { status, attempts, durationMs, outputs, error } = record;
      const step = history.steps.get(record.step);
      if (step === undefined) break; // the step was cancelled before its first attempt
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
      if (begun !== undefined) Object.assign(begun, { status: 'undoing', undoStartedAt: record.at });
      break;
    }
    case 'undone':
      history.status = 'undoing';
      undo(history, record);
      break;
    case 'finished':
      history.status = record.isReset === true ? 'reset' : record.status;
      if (record.error !== undefined) history.error = record.error;
      break;
    default:
      break;
  }
}

/** A resumed run has no result yet. */
function reopen(history: History): void {
  history.status = 'interrupted';
  delete history.error;
}

/** Once a part of a step is undone, the step is no longer done. */
function undo({ steps, changes }: History, record: Extract<JournalRecord, { kind: 'undone' }>): void {
  const change = 'change' in record ? changes[indexOf(changes, record.change)] : undefined;
  if (change !== undefined) {
    change.undone = true;
    if ('stays' in record) change.stays = true;
  }
  const step = steps.get('step' in record ? record.step : (change?.step ?? ''));
  if (step === undefined) return;
  step.status = 'undone';
  if ('step' in record && step.undoStartedAt !== undefined)
    step.durationMs = Date.parse(record.at) - Date.parse(step.undoStartedAt);
}

function refuse(changes: ChangeHistory[], seq: number): void {
  const index = indexOf(changes, seq);
  if (index !== -1) changes.splice(index, 1);
}

/** Changes are in the order of their records. -1 if the record is of no change. */
function indexOf(changes: readonly ChangeHistory[], seq: number): number {
  let [low, high] = [0, changes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((changes[middle]?.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return changes[low]?.seq === seq ? low : -1;
}
