/** The folder of one run on disk, as the store of its journal. */
import type { AppendHandle, MachineFiles } from '../host/files.ts';
import { fail } from '../sdk/errors.ts';
import { joineryPaths as paths } from '../sdk/paths.ts';
import type { Secret } from '../sdk/secret.ts';
import { answerPath } from './approval.ts';
import { LineWriter, type ReadJournal } from './journal-file.ts';
import type { Durability, JournalStore } from './journal-store.ts';
import type { JournalRecord } from './records.ts';

export const journalFile = (id: string): string => `${paths.runs}/${id}/journal.jsonl`;

/** The unreadable part of a journal whose readable part was undone. */
export const unreadableFile = (id: string): string => `${paths.runs}/${id}/journal.unreadable`;

const NOTHING_READ: ReadJournal = { records: [], fileBytes: 0, lengthBytes: 0, sum: '' };

export class RunFolder implements JournalStore {
  readonly #files: MachineFiles;
  readonly #id: string;
  #sum: string;
  #lengthBytes: number;
  /** Length of the file, including a record that a crash cut off. */
  #fileBytes: number;
  #open: AppendHandle | undefined;
  readonly #isReopened: boolean;

  constructor(files: MachineFiles, id: string, read: ReadJournal = NOTHING_READ) {
    this.#isReopened = read.lengthBytes > 0;
    this.#files = files;
    this.#id = id;
    this.#sum = read.sum;
    this.#lengthBytes = read.lengthBytes;
    this.#fileBytes = read.fileBytes;
  }

  async append(records: readonly JournalRecord[], durability: Durability): Promise<void> {
    const writer = new LineWriter(this.#sum);
    const bytes = Buffer.from(records.map((record) => writer.line(record)).join(''));
    if (this.#lengthBytes === 0) await this.#begin(bytes);
    else await this.#append(bytes, durability);
    this.#sum = writer.sum;
    this.#lengthBytes += bytes.length;
    this.#fileBytes = this.#lengthBytes;
  }

  /** Writes the file at once: every journal on disk has its start record. */
  async #begin(content: Buffer): Promise<void> {
    await this.#makeFolder();
    await this.#files.replaceFile(journalFile(this.#id), content, 0o600);
  }

  async #append(bytes: Buffer, durability: Durability): Promise<void> {
    if (this.#open === undefined) {
      if (this.#isReopened) await this.#files.syncNames(journalFile(this.#id), paths.state);
      this.#open = await this.#files.appendTo(journalFile(this.#id));
    }
    await this.#requireLength(this.#open, this.#fileBytes);
    if (this.#fileBytes > this.#lengthBytes) await this.#open.truncate(this.#lengthBytes);
    this.#fileBytes = this.#lengthBytes;
    try {
      await this.#open.append(bytes, durability === 'durable');
    } catch (error) {
      // Otherwise an incomplete record would become a part of the next one.
      await this.#open.truncate(this.#lengthBytes).catch(() => undefined);
      throw error;
    }
    await this.#requireLength(this.#open, this.#lengthBytes + bytes.length); // another process may append, too
  }

  /**
   * The lock prevents concurrent runs, unless it was deleted or the file system does not support it. Then
   * E_JOURNAL_SHARED is thrown before the change is applied.
   */
  async #requireLength(open: AppendHandle, lengthBytes: number): Promise<void> {
    const found = await open.lengthBytes();
    if (found !== lengthBytes) throw fail('E_JOURNAL_SHARED', { file: journalFile(this.#id), lengthBytes, found });
  }

  /** Keeps the bytes, too, because the file itself may be changed through another hard link. */
  async saveImage(number: number, bytes: Buffer, path: string): Promise<void> {
    if (this.#lengthBytes === 0) await this.#makeFolder();
    // Without the file itself, an undo restores content, mode and owner.
    await this.#files.keepFile(path, this.original(number)).catch(() => undefined);
    await this.#files.replaceFile(this.#image(number), bytes, 0o600);
  }
  async image(number: number): Promise<Buffer | undefined> {
    await this.#files.requireTrusted(this.#image(number));
    return this.#files.read(this.#image(number));
  }
  original(number: number): string {
    return `${paths.runs}/${this.#id}/${number}.original`;
  }
  async deleteImages(): Promise<void> {
    for (const name of (await this.#files.list(`${paths.runs}/${this.#id}`)) ?? [])
      if (!name.startsWith('journal.') && !name.startsWith('events.'))
        await this.#files.remove(`${paths.runs}/${this.#id}/${name}`);
  }

  async saveSecret(name: string, secret: Secret): Promise<void> {
    await this.#makeRuntimeFolder();
    const path = `${paths.runtime}/${this.#id}/${name}`;
    await this.#files.replaceFile(path, Buffer.from(secret.reveal()), 0o600);
  }
  async deleteSecrets(): Promise<void> {
    await this.#files.removeTree(`${paths.runtime}/${this.#id}`);
    await this.#files.remove(paths.runtime); // unless another run needs it
  }

  async prepareAnswer(): Promise<void> {
    await this.#makeRuntimeFolder();
  }
  async discardAnswer(step: string): Promise<void> {
    await this.#files.remove(answerPath(this.#id, step));
  }

  async close(): Promise<void> {
    await this.#open?.close();
    this.#open = undefined;
  }

  /** Another user may have created it first. */
  async #makeRuntimeFolder(): Promise<void> {
    const folder = `${paths.runtime}/${this.#id}`;
    await this.#directories(paths.runtime, folder);
    await this.#files.requireTrusted(folder);
  }

  #image(number: number): string {
    return `${paths.runs}/${this.#id}/${number}.before`;
  }

  async #makeFolder(): Promise<void> {
    await this.#directories(paths.state, paths.runs, `${paths.runs}/${this.#id}`);
    await this.#files.syncNames(paths.state, paths.state); // the lock has created it
  }

  /** Creates missing directories. Those of the machine have mode 0755; only root can enter Joinery's own. */
  async #directories(...own: string[]): Promise<void> {
    for (const [index, path] of own.entries()) {
      if (index === 0) await this.#files.createParents(path);
      await this.#files.createDirectory(path, 0o700);
    }
  }
}
