/** Runs that are killed: before and after each time that their journal is written. */
import { Journal, type JournalStore } from '../journal/journal.ts';
import { memoryStore } from '../journal/memory.ts';
import type { JournalRecord } from '../journal/records.ts';
import type { Secret } from '../sdk/secret.ts';

export interface MortalStore extends JournalStore {
  /** Settles when the process is gone. */
  dead: Promise<'dead'>;
  /** The journal as the next process finds it; undefined where nothing was written. */
  survivor(now: () => Date): Journal | undefined;
}

/** Keeps what a disk would; at its write number `killAt` (two for each: before and after), whoever writes never goes on. */
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
    async keepSecret(name, secret) {
      secrets.set(name, secret);
    },
    survivor: (now) =>
      records.length === 0
        ? undefined
        : Journal.reopen(kept, now, { records: [...records], secrets: new Map(secrets) }),
  };
}
