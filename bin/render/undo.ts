/** An undo as text: what it would do, and what it did. */
import { type Before, changeText, type StepChange, subjectOf } from '../../engine/host/changes/index.ts';
import { oppositeAction } from '../../engine/host/changes/service.ts';
import type { History } from '../../engine/journal/history.ts';
import type { Salvaged } from '../../engine/journal/runs.ts';
import type { UndoItem } from '../../engine/journal/undo.ts';
import type { RunResult } from '../../engine/run/run.ts';
import { defined, isJoinError, printable } from '../../engine/sdk/index.ts';
import { countsText, localTime } from './text.ts';

/** What an undo would do with a change. */
interface UndoAction {
  step: string;
  text: string;
}

/** `hasUndo` tells whether the phase of a step undoes what the step changed outside the machine. */
type HasUndo = (step: string) => boolean;

/** The last change first. */
const undoActions = ({ changes }: History, hasUndo: HasUndo): UndoAction[] =>
  changes
    .filter(({ undone }) => !undone)
    .reverse()
    .flatMap(({ step, change, before }) => {
      const known = change.kind === 'service' ? serviceText(change, before) : pathText(subjectOf(change), before);
      if (known === undefined && before.kind === 'earlier') return [];
      const other = before.kind === 'none' && hasUndo(step) ? 'let the phase undo' : 'keep';
      return [{ step, text: known ?? `${other}: ${changeText(change)}` }];
    });

export function undoPlanText(history: History, hasUndo: HasUndo): string {
  const { id, pipeline, at } = history.start;
  const lines = undoActions(history, hasUndo).map(({ text }) => `  ${text}`);
  return printable([`Undoing run ${id} of ${pipeline}, started ${localTime(at)}, will:`, ...lines].join('\n'));
}

/** The document that schemas/undo-plan.schema.json describes. */
export function undoPlanDocument(history: History, hasUndo: HasUndo): object {
  const { id, pipeline } = history.start;
  return { apiVersion: 'joinery.dev/v1', kind: 'UndoPlan', id, pipeline, actions: undoActions(history, hasUndo) };
}

/** What a rehearsal of an undo found. */
export interface ForeseenUndo {
  findings: readonly { step: string; outcome: 'kept' | 'not-undone'; text: string; diff?: string }[];
  /** What only the undo itself can tell: whether these succeed. */
  unknown: readonly string[];
}

export function foreseenUndo(
  { changes }: History,
  { result, items }: { result: RunResult; items: readonly UndoItem[] },
  hasUndo: HasUndo,
): ForeseenUndo {
  const ofChanges = items.flatMap(({ step, change, outcome, why, diff }) => {
    if (outcome === 'restored') return [];
    const isKept = outcome === 'stays';
    const text = `${subjectOf(change)} ${isKept ? 'stays' : 'would not be restored'}: ${why}`;
    return [{ step, outcome: isKept ? ('kept' as const) : ('not-undone' as const), text, ...defined({ diff }) }];
  });
  const ofSteps = result.steps.flatMap(({ id, status, error }) =>
    status === 'undo-failed' && isJoinError(error) && error.code !== 'E_UNDECIDED'
      ? [{ step: id, outcome: 'not-undone' as const, text: `step ${id} would not be undone: ${error.message}` }]
      : [],
  );
  const open = changes.filter(({ undone }) => !undone);
  const unknown = open.flatMap(({ step, change, before }) => {
    if (before.kind === 'command') return [before.undo.join(' ')];
    if (change.kind === 'service') return serviceText(change, before) ?? [];
    return hasUndo(step) ? [`the undo of step ${step}`] : [];
  });
  return { findings: [...ofSteps, ...ofChanges], unknown: [...new Set(unknown)] };
}

/** Empty if the rehearsal found nothing. */
export function foreseenText({ findings, unknown }: ForeseenUndo): string {
  const lines = findings.flatMap(({ text, diff }) => [
    `  ${text}`,
    ...(diff === undefined ? [] : [diff.replace(/^/gm, '    ')]),
  ]);
  return printable(
    [
      ...(lines.length === 0 ? [] : ['As the machine is now:', ...lines]),
      ...(unknown.length === 0 ? [] : [`A dry run cannot tell whether these succeed: ${unknown.join('; ')}.`]),
    ].join('\n'),
  );
}

function serviceText(change: Extract<StepChange, { kind: 'service' }>, before: Before): string | undefined {
  const action = oppositeAction(change.action, { active: before.kind === 'service' && before.active });
  if (action === undefined) return undefined;
  const service = subjectOf(change);
  if (action === 'stop') return `stop ${service} and delete its files`;
  return `${action === 'reload-service' ? 'reload' : action} ${service}`;
}

function pathText(subject: string, before: Before): string | undefined {
  switch (before.kind) {
    case 'absent':
      return `delete ${subject}`;
    case 'file':
    case 'link':
    case 'directory':
      return `restore ${subject}`;
    case 'command':
      return `run ${before.undo.join(' ')} to undo ${subject}`;
    default:
      return undefined;
  }
}

/** The items that could not be undone, or are kept, each with the reason. */
export const undoText = (items: readonly UndoItem[]): string[] =>
  items.flatMap(({ change, outcome, why, diff }) => {
    if (outcome === 'restored') return [];
    const verb = outcome === 'stays' ? 'is kept' : 'was not restored';
    return [`  ${subjectOf(change)} ${verb}: ${why}`, ...(diff === undefined ? [] : [diff.replace(/^/gm, '    ')])];
  });

/** What an undo cannot know if a journal is damaged. */
export const unknownText = (run: string, { line, what, kept }: NonNullable<Salvaged['unknown']>): string =>
  [
    `The journal of run ${run} is unreadable from line ${line} on: ${what}.`,
    'Changes that are recorded there are unknown, and are not undone. Check the files of the run yourself.',
    `A copy of the unreadable part is in ${kept}.`,
  ].join('\n');

export const undoneText = ({ id, status, changes }: RunResult, items: readonly UndoItem[]): string =>
  [
    `Run ${id} is ${status === 'succeeded' ? 'undone' : 'partly undone'}. ${countsText(changes)}.`,
    ...undoText(items),
  ].join('\n');
