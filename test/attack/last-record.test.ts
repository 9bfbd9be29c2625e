/** A record that cannot be written, or a file that cannot be closed, does not change the outcome or what is deleted. */
import { expect, test } from 'vitest';
import { Journal, type JournalStore } from '../../engine/journal/journal.ts';
import { memoryStore } from '../../engine/journal/memory.ts';
import { run } from '../../engine/run/run.ts';
import { Secret, writes } from '../../engine/sdk/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import { START } from '../helpers/journaled.ts';
import { planOfSteps } from '../helpers/plans.ts';

const PLAN = () =>
  planOfSteps({
    id: 'a',
    effects: [writes('/etc/*', undefined, 'x')],
    run: ({ files }) => files.write('/etc/a', 'x', 0o644),
  });

const FAULTS: Record<string, (isLast: (kind: string) => boolean) => Partial<JournalStore>> = {
  'the last record cannot be written': (isLast) => ({
    append: async (records) => {
      if (records.some(({ kind }) => isLast(kind))) throw new Error('no space left');
    },
  }),
  'the journal cannot be closed': () => ({
    close: async () => {
      throw new Error('EIO');
    },
  }),
};

test.each(Object.keys(FAULTS))('a run succeeds and its secrets are deleted, even if %s', async (fault) => {
  let deleted = 0;
  const store = {
    ...memoryStore(),
    deleteSecrets: async () => void deleted++,
    ...FAULTS[fault]?.((kind) => kind === 'finished'),
  };
  const host = memoryHost();
  const journal = Journal.begin(store, host.now, { ...START, inputs: { token: new Secret('the-token') } });
  const result = await run({ plan: PLAN(), host, journal });
  expect([result.status, result.error, deleted]).toEqual(['succeeded', undefined, 1]);
});

test('an undo deletes its secrets, even if the before-images cannot be deleted', async () => {
  let deleted = 0;
  const deleteImages = async () => {
    throw new Error('EIO');
  };
  const store = { ...memoryStore(), deleteImages, deleteSecrets: async () => void deleted++ };
  const host = memoryHost();
  const journal = Journal.begin(store, host.now, { ...START, inputs: { token: new Secret('the-token') } });
  await run({ plan: PLAN(), host, journal });
  await expect(journal.finished({ status: 'undone' })).rejects.toThrow('EIO');
  expect(deleted).toBe(2); // once by the run, and once by the undo
});

test('a run whose journal cannot be created leaves no secret behind', async () => {
  const kept = new Set<string>();
  const store: JournalStore = {
    ...memoryStore(),
    append: async () => {
      throw new Error('no space left');
    },
    saveSecret: async (name) => void kept.add(name),
    deleteSecrets: async () => kept.clear(),
  };
  const host = memoryHost();
  const journal = Journal.begin(store, host.now, { ...START, inputs: { token: new Secret('the-token') } });
  const result = await run({ plan: PLAN(), host, journal });
  expect([result.status, [...kept]]).toEqual(['failed', []]);
});
