/** Earlier runs, as tables and as documents (schemas/runs.schema.json). */

import { changeText } from '../../engine/host/changes/index.ts';
import type { LockHolder } from '../../engine/host/lock.ts';
import {
  type ChangeHistory,
  type History,
  openApprovals,
  type RunStatus,
  type StepHistory,
} from '../../engine/journal/history.ts';
import type { ExaminedRun } from '../../engine/journal/runs.ts';
import { errorRecord } from '../../engine/run/error-record.ts';
import { defined } from '../../engine/sdk/index.ts';
import { asItIs, type HintText, ofHistory } from './continuation.ts';
import { tableText } from './table.ts';
import { localTime, SIGN, seconds } from './text.ts';

/** How long processes worked on the run. */
function durationMs(history: History, holder: LockHolder | undefined): number {
  const end = isInProgress(history, holder) ? Date.now() : Date.parse(history.endedAt);
  return Math.max(0, end - Date.parse(history.start.at) - history.idleMs);
}
const nodeOf = ({ start }: History): string | undefined => {
  const { nodeName } = start.inputs as { nodeName?: unknown };
  return typeof nodeName === 'string' ? nodeName : undefined;
};
/** The status of a run on this machine. The journal alone does not know whether a process still works on the run. */
export type LiveStatus = RunStatus | 'running' | 'waiting';

/** `waiting`: for an approval. */
export function liveStatus(history: History, holder: LockHolder | undefined): LiveStatus {
  if (!isInProgress(history, holder) || history.status === 'undoing') return history.status;
  return openApprovals(history).length > 0 ? 'waiting' : 'running';
}

const isInProgress = ({ start }: History, holder: LockHolder | undefined): boolean => holder?.run === start.id;

const statusText = (history: History, holder: LockHolder | undefined): string => {
  const status = liveStatus(history, holder);
  const process = isInProgress(history, holder) && holder?.pid !== undefined ? ` (pid ${holder.pid})` : '';
  if (status === 'waiting') return `waiting for an approval${process}`;
  return status === 'undoing' && process === '' ? 'partly undone' : `${status}${process}`;
};

/** The command that a run needs next, if any. */
function nextOf(history: History, holder: LockHolder | undefined): string | undefined {
  const { start } = history;
  switch (liveStatus(history, holder)) {
    case 'waiting':
      return `join approve ${start.id} ${openApprovals(history)[0]}`;
    case 'interrupted':
    case 'failed':
    case 'cancelled':
      return `join resume ${start.id}`;
    case 'undoing':
      return isInProgress(history, holder) ? undefined : `join undo ${start.id}`;
    default:
      return undefined;
  }
}

/** `holder` is the process that holds the lock of the machine, if any. */
export function runsText(
  runs: readonly ExaminedRun[],
  holder: LockHolder | undefined,
  hint: HintText = asItIs,
  width?: number,
): string {
  if (runs.length === 0) return 'No run is recorded on this machine.';
  const rows = runs.map(({ id, history, error }) => {
    const about = history && [localTime(history.start.at), history.start.pipeline, nodeOf(history) ?? '-'];
    const known = [id, ...(about ?? ['-', '-', '-'])];
    if (history === undefined || error !== undefined)
      return [
        ...known,
        'unreadable',
        '-',
        hint(history === undefined ? `join runs prune ${id}` : `join undo --salvage ${id}`),
      ];
    return [
      ...known,
      statusText(history, holder),
      seconds(durationMs(history, holder)),
      hint(nextOf(history, holder) ?? ''),
    ];
  });
  const table = tableText([['RUN', 'STARTED', 'PIPELINE', 'NODE', 'STATUS', 'DURATION', 'NEXT'], ...rows], width);
  const errors = runs.flatMap(({ error }) => (error === undefined ? [] : `${errorRecordText(error)}`));
  return [table, ...errors].join('\n');
}

const errorRecordText = (error: unknown): string => {
  const { code, message } = errorRecord(error);
  return `${code}: ${message}`;
};

export function runText(history: History, holder: LockHolder | undefined, hint: HintText = asItIs): string {
  const { start, error } = history;
  const lines = [
    `Run ${start.id} of ${start.pipeline}${nodeOf(history) === undefined ? '' : ` for ${nodeOf(history)}`}: ` +
      statusText(history, holder),
    `started ${localTime(start.at)} by joinery ${start.joinery}, duration ${seconds(durationMs(history, holder))}`,
  ];
  for (const [id, step] of history.steps) {
    const sign = step.status === 'interrupted' || step.status === 'undoing' ? '…' : SIGN[step.status];
    const attempts = step.attempts > 1 ? `, ${step.attempts} attempts` : '';
    const duration = hasDuration(step) ? `, ${seconds(step.durationMs)}` : '';
    lines.push(`${sign} ${id} (${step.phase}): ${stepStatus(step, history, holder)}${attempts}${duration}`);
    for (const item of history.changes.filter((change) => change.step === id))
      lines.push(`    ${changeText(item.change)}${undoneText(item)}`);
    lines.push(...approvalLines(history, id, hint));
    if (step.error !== undefined) lines.push(`    ${step.error.code}: ${step.error.message}`);
  }
  if (error !== undefined) lines.push(`${error.code}: ${error.message}`, `  → ${hint(ofHistory(history)(error.hint))}`);
  const next = nextOf(history, holder);
  return (next === undefined ? lines : [...lines, `Next: ${hint(next)}`]).join('\n');
}

/** A step that has not ended, or was skipped, has none. */
const hasDuration = ({ status }: StepHistory): boolean =>
  status !== 'interrupted' && status !== 'undoing' && status !== 'skipped';

const stepStatus = ({ status }: StepHistory, history: History, holder: LockHolder | undefined): string =>
  status === 'interrupted' && isInProgress(history, holder) ? 'running' : status;

const undoneText = ({ undone, stays }: ChangeHistory): string => {
  if (stays) return ', kept';
  return undone ? ', undone' : '';
};

function approvalLines({ start, approvals }: History, step: string, hint: HintText): string[] {
  const approval = approvals.get(step);
  if (approval === undefined) return [];
  const { message, until, answer, at } = approval;
  const question = `    approval: ${message}`;
  if (answer === undefined)
    return [question, `    waits until ${localTime(until)}: ${hint(`join approve ${start.id} ${step}`)}`];
  const reason = answer.reason === '' ? '' : `: ${answer.reason}`;
  return [question, `    ${answer.decision} by ${answer.by} (${answer.via}) ${localTime(at)}${reason}`];
}

export function runDocument(history: History, holder: LockHolder | undefined, hint: HintText): object {
  const { start, endedAt, error } = history;
  const nodeName = nodeOf(history);
  const next = nextOf(history, holder);
  return defined({
    id: start.id,
    pipeline: start.pipeline,
    nodeName,
    status: liveStatus(history, holder),
    pid: isInProgress(history, holder) ? holder?.pid : undefined,
    begunAt: start.at,
    endedAt,
    durationMs: durationMs(history, holder),
    error: error && { ...error, hint: hint(ofHistory(history)(error.hint)) },
    next: next && hint(next),
  });
}

/** A run in the list: its journal may be unreadable. */
export const examinedDocument = (
  { id, history, error }: ExaminedRun,
  holder: LockHolder | undefined,
  hint: HintText = asItIs,
): object =>
  history === undefined || error !== undefined
    ? { id, status: 'unreadable', error: errorRecord(error) }
    : runDocument(history, holder, hint);

/** With the steps of the run. */
export function runDetailsDocument(history: History, holder: LockHolder | undefined, hint: HintText = asItIs): object {
  const { steps, changes, approvals } = history;
  return {
    ...runDocument(history, holder, hint),
    steps: [...steps].map(([id, step]) =>
      defined({
        id,
        phase: step.phase,
        status: stepStatus(step, history, holder),
        attempts: step.attempts,
        durationMs: hasDuration(step) ? step.durationMs : undefined,
        changes: changes
          .filter(({ step }) => step === id)
          .map(({ change, undone, stays }) => defined({ change, undone, stays })),
        approval: approvals.get(id),
        error: step.error,
      }),
    ),
  };
}
