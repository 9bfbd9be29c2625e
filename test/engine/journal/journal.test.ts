import { setImmediate } from 'node:timers/promises';
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

test('several random values are created at once, and hold up no other record', async () => {
  const journal = Journal.begin(memoryStore(), () => new Date(), START);
  const ends: (() => void)[] = [];
  const slow = (value: string) => () => new Promise<string>((settle) => ends.push(() => settle(value)));
  const both = Promise.all([journal.once('a', 'first', slow('1')), journal.once('a', 'second', slow('2'))]);
  await setImmediate();
  expect(ends).toHaveLength(2);
  await journal.skipped('b', 'file');
  for (const end of ends.toReversed()) end();
  expect((await both).map((value) => value.reveal())).toEqual(['1', '2']);
});

test('a random value that two ask for at the same time is one value', async () => {
  const journal = Journal.begin(memoryStore(), () => new Date(), START);
  const values = await Promise.all(['1', '2'].map((value) => journal.once('a', 'key', async () => value)));
  expect(values.map((value) => value.reveal())).toEqual(['1', '1']);
});
