/** Simulates the death of a process before and after each write of its journal. */
import { Journal, type JournalStore } from '../journal/journal.ts';
import { memoryStore } from '../journal/memory.ts';
import type { JournalRecord } from '../journal/records.ts';
import type { Secret } from '../sdk/secret.ts';

export interface MortalStore extends JournalStore {
  /** Resolves when the process has died. */
  dead: Promise<'dead'>;
  /** The journal as the next process finds it; undefined if nothing was written. */
  survivor(now: () => Date): Journal | undefined;
}

/** Each write has two points, before and after it. The write that reaches point `killAt` never returns. */
export function mortalStore(killAt: number): MortalStore {
  const kept = memoryStore();
  const records: JournalRecord[] = [];
  const secrets = new Map<string, Secret>();
  let points = 0;
  let die: (word: 'dead') => void = () => undefined;
  const dead = new Promise<'dead'>((resolve) => {
    die = resolve;
  });
  const point = async (): Promise<void> => {
    if (points++ !== killAt) return;
    die('dead');
    await new Promise(() => undefined);
  };
  return {
    ...kept,
    dead,
    async append(written) {
      await point();
      records.push(...(JSON.parse(JSON.stringify(written)) as JournalRecord[]));
      await point();
    },
    async saveSecret(name, secret) {
      secrets.set(name, secret);
    },
    survivor: (now) =>
      records.length === 0
        ? undefined
        : Journal.reopen(kept, now, { records: [...records], secrets: new Map(secrets) }),
  };
}
