/** Earlier runs, as tables and as documents (schemas/runs.schema.json). */

import { changeText } from '../../engine/host/changes/index.ts';
import type { LockHolder } from '../../engine/host/lock.ts';
import { type History, openApprovals, type RunStatus } from '../../engine/journal/history.ts';
import type { ExaminedRun } from '../../engine/journal/runs.ts';
import { errorRecord } from '../../engine/run/error-record.ts';
import { defined } from '../../engine/sdk/index.ts';
import { tableText } from './table.ts';
import { SIGN, seconds } from './text.ts';

const durationMs = ({ start, endedAt }: History): number => Date.parse(endedAt) - Date.parse(start.at);
const nodeOf = ({ start }: History): string | undefined => {
  const { nodeName } = start.inputs as { nodeName?: unknown };
  return typeof nodeName === 'string' ? nodeName : undefined;
};
const local = (at: string): string => new Date(at).toLocaleString('sv'); // 2026-11-24 10:59:47

/** Suggestions for runs that need attention. */
const NEXT: Partial<Record<RunStatus, string>> = {
  interrupted: 'still running, or killed: join resume, join undo',
  failed: 'join resume, join undo',
  cancelled: 'join resume, join undo',
  undoing: 'partly undone: join undo',
};

function nextOf(history: History, holder: LockHolder | undefined): string | undefined {
  const [step] = openApprovals(history);
  if (step !== undefined) return `waits for approval: join approve ${history.start.id} ${step}`;
  return isInProgress(history, holder) ? `in progress (pid ${holder?.pid})` : NEXT[history.status];
}

const isInProgress = ({ start }: History, holder: LockHolder | undefined): boolean => holder?.run === start.id;

/** `holder` is the process that holds the lock of the machine, if any. */
export function runsText(runs: readonly ExaminedRun[], holder: LockHolder | undefined): string {
  if (runs.length === 0) return 'No run is recorded on this machine.';
  const rows = runs.map(({ id, history, error }) => {
    const about = history && [local(history.start.at), history.start.pipeline, nodeOf(history) ?? '-'];
    const known = [id, ...(about ?? ['-', '-', '-'])];
    if (history === undefined || error !== undefined)
      return [
        ...known,
        'unreadable',
        '-',
        history === undefined ? `join runs prune ${id}` : `join undo --salvage ${id}`,
      ];
    return [...known, history.status, seconds(durationMs(history)), nextOf(history, holder) ?? ''];
  });
  const table = tableText([['RUN', 'STARTED', 'PIPELINE', 'NODE', 'STATUS', 'DURATION', 'NEXT'], ...rows]);
  const errors = runs.flatMap(({ error }) => (error === undefined ? [] : `${errorRecordText(error)}`));
  return [table, ...errors].join('\n');
}

const errorRecordText = (error: unknown): string => {
  const { code, message } = errorRecord(error);
  return `${code}: ${message}`;
};

export function runText(history: History, holder: LockHolder | undefined): string {
  const { start, status, error } = history;
  const lines = [
    `Run ${start.id} of ${start.pipeline}${nodeOf(history) === undefined ? '' : ` for ${nodeOf(history)}`}: ${status}`,
    `started ${local(start.at)} by joinery ${start.joinery}, duration ${seconds(durationMs(history))}`,
  ];
  for (const [id, step] of history.steps) {
    const sign = step.status === 'interrupted' || step.status === 'undoing' ? '…' : SIGN[step.status];
    const attempts = step.attempts > 1 ? `, ${step.attempts} attempts` : '';
    lines.push(`${sign} ${id} (${step.phase}): ${step.status}${attempts}, ${seconds(step.durationMs)}`);
    for (const item of history.changes.filter((change) => change.step === id))
      lines.push(`    ${changeText(item.change)}${item.undone ? ', undone' : ''}`);
    lines.push(...approvalLines(history, id));
    if (step.error !== undefined) lines.push(`    ${step.error.code}: ${step.error.message}`);
  }
  if (error !== undefined) lines.push(`${error.code}: ${error.message}`, `  → ${error.hint}`);
  const next = nextOf(history, holder);
  return (next === undefined ? lines : [...lines, next]).join('\n');
}

function approvalLines({ start, approvals }: History, step: string): string[] {
  const approval = approvals.get(step);
  if (approval === undefined) return [];
  const { message, until, answer, at } = approval;
  const question = `    approval: ${message}`;
  if (answer === undefined) return [question, `    waits until ${local(until)}: join approve ${start.id} ${step}`];
  const reason = answer.reason === '' ? '' : `: ${answer.reason}`;
  return [question, `    ${answer.decision} by ${answer.by} (${answer.via}) ${local(at)}${reason}`];
}

export function runDocument(history: History, holder: LockHolder | undefined): object {
  const { start, endedAt, status, error } = history;
  const nodeName = nodeOf(history);
  return defined({
    id: start.id,
    pipeline: start.pipeline,
    nodeName,
    status,
    pid: isInProgress(history, holder) ? holder?.pid : undefined,
    begunAt: start.at,
    endedAt,
    durationMs: durationMs(history),
    error,
  });
}

/** A run in the list: its journal may be unreadable. */
export const examinedDocument = ({ id, history, error }: ExaminedRun, holder: LockHolder | undefined): object =>
  history === undefined || error !== undefined
    ? { id, status: 'unreadable', error: errorRecord(error) }
    : runDocument(history, holder);

/** With the steps of the run. */
export function runDetailsDocument(history: History, holder: LockHolder | undefined): object {
  const { steps, changes, approvals } = history;
  return {
    ...runDocument(history, holder),
    steps: [...steps].map(([id, { phase, status, attempts, durationMs: ms, error }]) =>
      defined({
        id,
        phase,
        status,
        attempts,
        durationMs: ms,
        changes: changes.filter(({ step }) => step === id).map(({ change, undone }) => ({ change, undone })),
        approval: approvals.get(id),
        error,
      }),
    ),
  };
}
