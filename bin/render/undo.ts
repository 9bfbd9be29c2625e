/** An undo as text: what it would do, and what it did. */
import { type Before, changeText, type StepChange, subjectOf } from '../../engine/host/changes/index.ts';
import { oppositeAction } from '../../engine/host/changes/service.ts';
import type { History } from '../../engine/journal/history.ts';
import type { Salvaged } from '../../engine/journal/runs.ts';
import type { UndoItem } from '../../engine/journal/undo.ts';
import type { RunResult } from '../../engine/run/run.ts';
import { countsText } from './text.ts';

export function undoPlanText({ start, changes }: History): string {
  const lines = changes
    .filter(({ undone }) => !undone)
    .reverse()
    .flatMap(({ change, before }) => {
      const text = change.kind === 'service' ? serviceText(change, before) : pathText(subjectOf(change), before);
      if (text !== undefined) return [`  ${text}`];
      return before.kind === 'earlier' ? [] : [`  keep: ${changeText(change)}`];
    });
  return [`Undoing run ${start.id} of ${start.pipeline}, started ${start.at}, will:`, ...lines].join('\n');
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
