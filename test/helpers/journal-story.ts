/** What the records of a journal add up to, derived without the engine. */
import type { JournalRecord } from '../../engine/journal/records.ts';

export interface JournalStory {
  changes: { made: number; undone: number; kept: number };
  status: string;
  /** Status of each step that started or was skipped. A step that was cancelled before it started has none. */
  steps: Map<string, string>;
  /** How many changes each step has made. */
  madeBy: Map<string, number>;
}

export function storyOf(records: readonly JournalRecord[]): JournalStory {
  const changes = { made: 0, undone: 0, kept: 0 };
  const steps = new Map<string, string>();
  const stepOf = new Map<number, string>();
  const madeBy = new Map<string, number>();
  let status = 'interrupted';
  for (const record of records) {
    if (record.kind === 'change') {
      changes.made++;
      madeBy.set(record.step, (madeBy.get(record.step) ?? 0) + 1);
      stepOf.set(record.seq, record.step);
    } else if (record.kind === 'refused') {
      changes.made--;
      const step = stepOf.get(record.change) ?? '';
      madeBy.set(step, (madeBy.get(step) ?? 0) - 1);
    } else if (record.kind === 'undone' && 'change' in record) {
      changes[record.stays === true ? 'kept' : 'undone']++;
      steps.set(stepOf.get(record.change) ?? '', 'undone');
    } else if (record.kind === 'begun') steps.set(record.step, 'interrupted');
    else if (record.kind === 'skipped') steps.set(record.step, 'skipped');
    else if ('step' in record && steps.has(record.step)) {
      if (record.kind === 'done') steps.set(record.step, record.status);
      else if (record.kind === 'undoing' || record.kind === 'undone') steps.set(record.step, record.kind);
    }
    if (record.kind === 'undone' || record.kind === 'undoing') status = 'undoing';
    else if (record.kind === 'resumed') status = 'interrupted';
    else if (record.kind === 'finished') status = record.status;
  }
  return { changes, status, steps, madeBy };
}
