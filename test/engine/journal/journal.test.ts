import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { changeCounts } from '../../../engine/journal/history.ts';
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

describe('a change that was refused', () => {
  const FILE = { kind: 'file', path: '/etc/a', action: 'create', mode: 0o644, content: 'a' } as const;
  const absent = async () => ({ before: { kind: 'absent' } as const });
  const made = (journal: Journal) => journal.history().changes.map(({ seq }) => seq);

  test('a refused change counts as never made, also in a journal that is read again', async () => {
    const records: JournalRecord[] = [];
    const store = { ...memoryStore(), append: async (more: readonly JournalRecord[]) => void records.push(...more) };
    const journal = Journal.begin(store, () => new Date(), START);
    const withdraw = await journal.change('a', FILE, absent);
    expect(changeCounts(journal.history()).made).toBe(1);
    await withdraw();
    const again = Journal.reopen(store, () => new Date(), { records, secrets: new Map() });
    for (const each of [journal, again]) {
      expect(changeCounts(each.history())).toEqual({ made: 0, undone: 0, kept: 0 });
      expect(each.changesOf('a')).toEqual([]);
    }
  });

  test('the next change of the path has a snapshot of its own', async () => {
    const journal = Journal.begin(memoryStore(), () => new Date(), START);
    await (await journal.change('a', FILE, absent))();
    await journal.change('a', FILE, absent);
    expect(journal.history().changes.map(({ before }) => before.kind)).toEqual(['absent']);
  });

  test('after an earlier change of the path, only the refused one is withdrawn', async () => {
    const journal = Journal.begin(memoryStore(), () => new Date(), START);
    await journal.change('a', FILE, absent);
    await (await journal.change('a', { ...FILE, action: 'replace', content: 'b' }, absent))();
    await journal.change('a', { ...FILE, action: 'replace', content: 'c' }, absent);
    expect(journal.history().changes.map(({ before }) => before.kind)).toEqual(['absent', 'earlier']);
  });

  test('an object that the server refused is a new change when the step asks for it again', async () => {
    const create = { kind: 'api', verb: 'create', resource: 'leases', name: 'l', checked: 'sent' } as const;
    const journal = Journal.begin(memoryStore(), () => new Date(), START);
    const none = async () => ({ before: { kind: 'none' } as const });
    await (await journal.change('a', create, none))();
    await journal.change('a', create, none);
    await (await journal.change('a', create, none))(); // this one is already recorded, and stays
    expect(made(journal)).toHaveLength(1);
  });

  test('a change whose record cannot be written is not made', async () => {
    let isFull = true;
    const append = async () => {
      if (isFull) throw new Error('no space left');
    };
    const journal = Journal.begin({ ...memoryStore(), append }, () => new Date(), START);
    await expect(journal.change('a', FILE, absent)).rejects.toThrow('no space left');
    expect(made(journal)).toEqual([]);
    isFull = false;
    await journal.change('a', FILE, absent);
    expect(journal.history().changes.map(({ before }) => before.kind)).toEqual(['absent']);
  });
});
