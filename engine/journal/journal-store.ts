/** The store of a journal: on disk, or in memory if nothing has to outlive the process. */
import type { Secret } from '../sdk/secret.ts';
import type { JournalRecord } from './records.ts';

/** `durable` records survive a power cut once the write returns. `buffered` ones may be lost. */
export type Durability = 'durable' | 'buffered';

export interface JournalStore {
  /** Adds records, in order. */
  append(records: readonly JournalRecord[], durability: Durability): Promise<void>;
  /** Keeps the bytes of the file at `path` and, if possible, the file itself with all its attributes. */
  saveImage(number: number, bytes: Buffer, path: string): Promise<void>;
  image(number: number): Promise<Buffer | undefined>;
  /** Where the file itself is kept; absent if it is not kept. */
  original(number: number): string | undefined;
  deleteImages(): Promise<void>;
  saveSecret(name: string, secret: Secret): Promise<void>;
  deleteSecrets(): Promise<void>;
  /** Creates the directory in which an answer can arrive. */
  prepareAnswer(): Promise<void>;
  discardAnswer(step: string): Promise<void>;
  close(): Promise<void>;
}

/** A journal that was read back from its store. */
export interface StoredJournal {
  records: JournalRecord[];
  secrets: Map<string, Secret>;
}
