import { expect, test } from 'vitest';
import { Journal } from '../../../engine/journal/journal.ts';
import { memoryStore } from '../../../engine/journal/memory.ts';
import type { JournalRecord } from '../../../engine/journal/records.ts';
import { START } from '../../helpers/journaled.ts';

test('while an undo records its steps, the journal knows which of them are undone', async () => {
  const kinds: string[] = [];
  const append = async (records: readonly JournalRecord[]) => void kinds.push(...records.map(({ kind }) => kind));
  const journal = Journal.begin({ ...memoryStore(), append }, () => new Date(), START);
  expect(journal.changesOf('a')).toEqual([]);
  journal.begun('a', 'file', 1, {});
  const change = { kind: 'directory', path: '/etc/a', mode: 0o755 } as const;
  await journal.change('a', change, async () => ({ before: { kind: 'absent' } }));
  expect([journal.changesOf('a'), journal.changesOf('b')]).toEqual([[change], []]);
  for (let times = 0; times < 2; times++) {
    await journal.undoing('a');
    await journal.undone({ step: 'a' });
  }
  expect(kinds).toEqual(['start', 'begun', 'change', 'undoing', 'undone']);
});
