/** What an undo would do, and what it did, as text. */
import { subjectOf } from '../../engine/host/host.ts';
import type { History } from '../../engine/journal/history.ts';
import type { Before } from '../../engine/journal/records.ts';
import { serviceBack, type UndoItem } from '../../engine/journal/undo.ts';
import type { ServiceAction } from '../../engine/sdk/ports.ts';
import { changeText } from './text.ts';

export function undoPlanText({ start, changes }: History): string {
  const lines = changes
    .filter(({ undone }) => !undone)
    .reverse()
    .flatMap(({ change, before }) => {
      const text = change.kind === 'service' ? serviceBackText(change.action, before) : backText(before);
      if (text !== undefined) return [`  ${text} ${subjectOf(change)}`];
      return before.kind === 'earlier' ? [] : [`  leave what was done: ${changeText(change)}`];
    });
  return [`Run ${start.id} of ${start.pipeline}, begun ${start.at}. To undo it is to`, ...lines].join('\n');
}

function serviceBackText(action: ServiceAction, before: Before): string | undefined {
  const back = serviceBack(action, before.kind === 'service' && before.active);
  if (back === 'stop') return 'stop, and remove what it wrote:';
  return back === 'reload-service' ? 'have it reload its configuration:' : back;
}

function backText(before: Before): string | undefined {
  switch (before.kind) {
    case 'absent':
      return 'remove';
    case 'file':
    case 'link':
    case 'directory':
      return 'put back';
    case 'command':
      return `run ${before.undo.join(' ')}, for`;
    default:
      return undefined;
  }
}

/** What is not as it was before, item by item, each with the reason. */
export const undoText = (restored: readonly UndoItem[]): string[] =>
  restored.flatMap(({ change, outcome, why, diff }) => {
    if (outcome === 'restored') return [];
    const verb = outcome === 'stays' ? 'stays' : 'is not put back';
    return [`  ${subjectOf(change)} ${verb}: ${why}`, ...(diff === undefined ? [] : [diff.replace(/^/gm, '    ')])];
  });
