/** An undo as text: what it would do, and what it did. */
import { type Before, changeText, subjectOf } from '../../engine/host/changes/index.ts';
import { oppositeAction } from '../../engine/host/changes/service.ts';
import type { History } from '../../engine/journal/history.ts';
import type { UndoItem } from '../../engine/journal/undo.ts';
import type { RunResult } from '../../engine/run/run.ts';
import type { ServiceAction } from '../../engine/sdk/ports.ts';

export function undoPlanText({ start, changes }: History): string {
  const lines = changes
    .filter(({ undone }) => !undone)
    .reverse()
    .flatMap(({ change, before }) => {
      const text = change.kind === 'service' ? serviceBackText(change.action, before) : backText(before);
      if (text !== undefined) return [`  ${text} ${subjectOf(change)}`];
      return before.kind === 'earlier' ? [] : [`  keep: ${changeText(change)}`];
    });
  return [`Undoing run ${start.id} of ${start.pipeline}, started ${start.at}, will:`, ...lines].join('\n');
}

function serviceBackText(action: ServiceAction, before: Before): string | undefined {
  const back = oppositeAction(action, { active: before.kind === 'service' && before.active });
  if (back === 'stop') return 'stop, and delete the files of,';
  return back === 'reload-service' ? 'reload' : back;
}

function backText(before: Before): string | undefined {
  switch (before.kind) {
    case 'absent':
      return 'delete';
    case 'file':
    case 'link':
    case 'directory':
      return 'restore';
    case 'command':
      return `run ${before.undo.join(' ')} to undo`;
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

export const undoneText = ({ id, status }: RunResult, items: readonly UndoItem[]): string =>
  [`Run ${id} is ${status === 'succeeded' ? 'undone' : 'partly undone'}.`, ...undoText(items)].join('\n');
