/** Runs of the past, as tables and as documents (schemas/runs.schema.json). */

import { changeText } from '../../engine/host/changes/index.ts';
import { type History, openApprovals, type RunStatus } from '../../engine/journal/history.ts';
import { tableText } from './table.ts';
import { SIGN, seconds } from './text.ts';

const tookMs = ({ start, endedAt }: History): number => Date.parse(endedAt) - Date.parse(start.at);
const nodeOf = ({ start }: History): string | undefined => {
  const { nodeName } = start.inputs as { nodeName?: unknown };
  return typeof nodeName === 'string' ? nodeName : undefined;
};
const local = (at: string): string => new Date(at).toLocaleString('sv'); // 2026-11-24 10:59:47

/** What can be done about it. */
const NEXT: Partial<Record<RunStatus, string>> = {
  interrupted: 'still at work, or killed: join resume, join undo',
  failed: 'join resume, join undo',
  cancelled: 'join resume, join undo',
  undoing: 'undone in part: join undo',
};

function nextOf(history: History): string | undefined {
  const [step] = openApprovals(history);
  return step === undefined ? NEXT[history.status] : `waits for somebody: join approve ${history.start.id} ${step}`;
}

export function runsText(histories: readonly History[]): string {
  if (histories.length === 0) return 'No run has changed this machine.';
  const rows = histories.map((history) => [
    history.start.id,
    local(history.start.at),
    history.start.pipeline,
    nodeOf(history) ?? '-',
    history.status,
    seconds(tookMs(history)),
    nextOf(history) ?? '',
  ]);
  return tableText([['RUN', 'BEGUN', 'PIPELINE', 'NODE', 'STATE', 'TOOK', ''], ...rows]);
}

export function runText(history: History): string {
  const { start, status, error } = history;
  const lines = [
    `Run ${start.id} of ${start.pipeline}${nodeOf(history) === undefined ? '' : ` for ${nodeOf(history)}`}: ${status}`,
    `begun ${local(start.at)} by joinery ${start.joinery}, took ${seconds(tookMs(history))}`,
  ];
  for (const [id, step] of history.steps) {
    const sign = step.status === 'interrupted' || step.status === 'undoing' ? '…' : SIGN[step.status];
    const tries = step.attempts > 1 ? `, ${step.attempts} tries` : '';
    lines.push(`${sign} ${id} (${step.phase}): ${step.status}${tries}, ${seconds(step.durationMs)}`);
    for (const item of history.changes.filter((change) => change.step === id))
      lines.push(`    ${changeText(item.change)}${item.undone ? ', taken back' : ''}`);
    lines.push(...approvalLines(history, id));
    if (step.error !== undefined) lines.push(`    ${step.error.code}: ${step.error.message}`);
  }
  if (error !== undefined) lines.push(`${error.code}: ${error.message}`, `  → ${error.hint}`);
  const next = nextOf(history);
  return (next === undefined ? lines : [...lines, next]).join('\n');
}

function approvalLines({ start, approvals }: History, step: string): string[] {
  const asked = approvals.get(step);
  if (asked === undefined) return [];
  const { message, until, answer, at } = asked;
  if (answer === undefined)
    return [`    asks: ${message}`, `    until ${local(until)}, by join approve ${start.id} ${step}`];
  const why = answer.reason === '' ? '' : `: ${answer.reason}`;
  return [`    asked: ${message}`, `    ${answer.decision} by ${answer.by} (${answer.via}) ${local(at)}${why}`];
}

export function runDocument(history: History, isWhole: boolean): object {
  const { start, endedAt, status, steps, changes, approvals, error } = history;
  const nodeName = nodeOf(history);
  return {
    id: start.id,
    pipeline: start.pipeline,
    ...(nodeName === undefined ? {} : { nodeName }),
    status,
    begunAt: start.at,
    endedAt,
    durationMs: tookMs(history),
    ...(error === undefined ? {} : { error }),
    ...(isWhole
      ? {
          steps: [...steps].map(([id, { phase, status: stepStatus, attempts, durationMs, error: stepError }]) => ({
            ...{ id, phase, status: stepStatus, attempts, durationMs },
            changes: changes.filter(({ step }) => step === id).map(({ change, undone }) => ({ change, undone })),
            ...(approvals.has(id) ? { approval: approvals.get(id) } : {}),
            ...(stepError === undefined ? {} : { error: stepError }),
          })),
        }
      : {}),
  };
}
