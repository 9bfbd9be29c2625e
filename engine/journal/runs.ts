/** The runs of a machine on its disk: `/var/lib/joinery/runs/<id>`, and what they must not keep longer than they need in `/run/joinery/<id>`. */
import { randomBytes } from 'node:crypto';
import type { Appending, MachineFiles } from '../host/files.ts';
import { fail } from '../sdk/errors.ts';
import { joineryPaths as paths } from '../sdk/paths.ts';
import { Secret } from '../sdk/secret.ts';
import { type Answer, answerPath, answerText } from './approval.ts';
import { type History, historyOf, isClosed, openApprovals } from './history.ts';
import { Journal, type JournalStore } from './journal.ts';
import { JOURNAL_VERSION, type JournalRecord, LineWriter, type ReadJournal, readJournal } from './records.ts';

const JOURNAL_BYTES_MAX = 64 << 20;
/** So many runs that are over stay to be looked at, and undone; older ones go when another begins. */
export const RUNS_KEPT = 20;

export class Runs {
  readonly #files: MachineFiles;
  readonly #now: () => Date;

  constructor(files: MachineFiles, now: () => Date = () => new Date()) {
    this.#files = files;
    this.#now = now;
  }

  /** A journal that comes to be on disk with its first change. */
  begin(start: Omit<Parameters<typeof Journal.begin>[2], 'id' | 'version'>): Journal {
    const id = idOf(this.#now());
    return Journal.begin(new RunFolder(this.#files, id), this.#now, { version: JOURNAL_VERSION, id, ...start });
  }

  /** To go on with. E_RUN_UNKNOWN, E_JOURNAL_DAMAGED, E_JOURNAL_VERSION. */
  async open(id: string): Promise<Journal> {
    const read = await this.#read(id);
    const secrets = await this.#secrets(id);
    const folder = new RunFolder(this.#files, id, read);
    return Journal.reopen(folder, this.#now, { records: read.records, secrets });
  }

  async history(id: string): Promise<History> {
    return historyOf((await this.#read(id)).records);
  }

  /** Ids of all runs, the newest first. Ids begin with their date. */
  async ids(): Promise<string[]> {
    const ids = (await this.#files.list(paths.runs)) ?? [];
    const written: string[] = [];
    for (const id of ids.reverse())
      if (ID.test(id) && (await this.#files.stat(journalFile(id))) !== undefined) written.push(id);
    return written;
  }

  /** The run whose id begins with `given`; left out, the newest that `fits`. */
  async find(given: string | undefined, fits: (history: History) => boolean, what: string): Promise<string> {
    const ids = await this.ids();
    if (given !== undefined) {
      const [found, ...more] = ids.filter((id) => id.startsWith(given));
      if (found !== undefined && more.length === 0) return found;
      throw fail('E_RUN_UNKNOWN', { given, ids });
    }
    for (const id of ids) if (fits(await this.history(id))) return id;
    throw fail('E_RUN_NONE', { what });
  }

  /** Puts an answer where the run looks for it, also one that is not at work now. E_APPROVAL_NONE. */
  async answer(id: string, step: string, answer: Omit<Answer, 'via'>): Promise<void> {
    const open = openApprovals(await this.history(id));
    if (!open.includes(step)) throw fail('E_APPROVAL_NONE', { run: id, step, open });
    await new RunFolder(this.#files, id).prepareAnswer();
    const content = Buffer.from(answerText(answer));
    await this.#files.replaceFile(answerPath(id, step), content, 0o600);
  }

  /** Forgets a run: it can neither be continued nor undone any more. */
  async remove(id: string): Promise<void> {
    await this.#files.remove(journalFile(id)); // first: what has none is no run
    for (const folder of [paths.runtime, paths.runs]) await this.#files.removeTree(`${folder}/${id}`);
    await this.#files.remove(paths.runtime); // where no other run needs it
  }

  /** Removes what runs that were killed could not: the secrets of one that was over, and all of one that had no journal yet. Only under the lock. */
  async tidy(): Promise<void> {
    const ids = await this.ids();
    for (const name of (await this.#files.list(paths.runs)) ?? []) {
      const [id] = name.split('.'); // its folder, or what was to become that
      if (id !== undefined && ID.test(id) && !ids.includes(id)) await this.remove(id);
    }
    for (const id of (await this.#files.list(paths.runtime)) ?? []) {
      const isDone = () => this.history(id).then(isClosed, () => false); // a damaged one waits for somebody to look at it
      if (!ids.includes(id) || (await isDone())) await this.#files.removeTree(`${paths.runtime}/${id}`);
    }
    // Where they are empty; a link to another disk is somebody's, and stays. The folder above them is the lock's.
    for (const path of [paths.runtime, paths.runs])
      if ((await this.#files.stat(path))?.kind !== 'link') await this.#files.remove(path);
  }

  /** Forgets all but the newest `keep` runs that are over. Returns their ids. */
  async prune(keep: number): Promise<string[]> {
    const over: string[] = [];
    const ids = await this.ids();
    if (ids.length <= keep) return over; // most runs have few before them
    for (const id of ids) if (isClosed(await this.history(id))) over.push(id);
    const removed = over.slice(keep);
    for (const id of removed) await this.remove(id);
    return removed;
  }

  async #read(id: string): Promise<ReadJournal> {
    const file = journalFile(id);
    const bytes = await this.#files.read(file, JOURNAL_BYTES_MAX);
    if (bytes === undefined) throw fail('E_RUN_UNKNOWN', { given: id, ids: await this.ids() });
    const read = readJournal(file, bytes);
    if (read.records.length === 0) throw fail('E_JOURNAL_DAMAGED', { file, line: 1, what: 'nothing in it is whole' });
    return read;
  }

  async #secrets(id: string): Promise<Map<string, Secret>> {
    const secrets = new Map<string, Secret>();
    const folder = `${paths.runtime}/${id}`;
    for (const name of (await this.#files.list(folder)) ?? []) {
      const bytes =
        name.endsWith('.tmp') || name.startsWith('approval.') ? undefined : await this.#files.read(`${folder}/${name}`);
      if (bytes !== undefined) secrets.set(name, new Secret(bytes.toString('utf8')));
    }
    return secrets;
  }
}

const ID = /^\d{8}-\d{6}-[0-9a-f]{4}$/;
/** `20261124-105947-3f0a`: sorts by time, and can be typed. */
const idOf = (now: Date): string => {
  const [date = '', time = ''] = now.toISOString().split('T');
  return `${date.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}-${randomBytes(2).toString('hex')}`;
};
const journalFile = (id: string): string => `${paths.runs}/${id}/journal.jsonl`;

class RunFolder implements JournalStore {
  readonly #files: MachineFiles;
  readonly #id: string;
  #sum: string;
  #lengthBytes: number;
  #open: Appending | undefined;
  readonly #isReopened: boolean;

  constructor(files: MachineFiles, id: string, read: ReadJournal = { records: [], lengthBytes: 0, sum: '' }) {
    this.#isReopened = read.lengthBytes > 0;
    this.#files = files;
    this.#id = id;
    this.#sum = read.sum;
    this.#lengthBytes = read.lengthBytes;
  }

  async append(records: readonly JournalRecord[], durable: boolean): Promise<void> {
    const writer = new LineWriter(this.#sum);
    const bytes = Buffer.from(records.map((record) => writer.line(record)).join(''));
    if (this.#lengthBytes === 0) await this.#begin(bytes);
    else await this.#append(bytes, durable);
    this.#sum = writer.sum;
    this.#lengthBytes += bytes.length;
  }

  /** At once: a journal that is there has a start. */
  async #begin(content: Buffer): Promise<void> {
    await this.#makeFolder();
    await this.#files.replaceFile(journalFile(this.#id), content, 0o600);
  }

  async #append(bytes: Buffer, durable: boolean): Promise<void> {
    if (this.#open === undefined) {
      if (this.#isReopened) await this.#files.syncNames(journalFile(this.#id), paths.state);
      this.#open = await this.#files.appendTo(journalFile(this.#id));
      await this.#open.truncate(this.#lengthBytes); // a torn last record
    }
    try {
      await this.#open.append(bytes, durable);
    } catch (error) {
      await this.#open.truncate(this.#lengthBytes).catch(() => undefined); // half a record, or else the next is read as a part of it
      throw error;
    }
  }

  async keepImage(number: number, bytes: Buffer): Promise<void> {
    if (this.#lengthBytes === 0) await this.#makeFolder();
    await this.#files.replaceFile(this.#image(number), bytes, 0o600);
  }
  image(number: number): Promise<Buffer | undefined> {
    return this.#files.read(this.#image(number));
  }
  async forgetImages(): Promise<void> {
    for (const name of (await this.#files.list(`${paths.runs}/${this.#id}`)) ?? [])
      if (name !== 'journal.jsonl') await this.#files.remove(`${paths.runs}/${this.#id}/${name}`);
  }

  async keepSecret(name: string, secret: Secret): Promise<void> {
    await this.#directories(paths.runtime, `${paths.runtime}/${this.#id}`);
    const path = `${paths.runtime}/${this.#id}/${name}`;
    await this.#files.replaceFile(path, Buffer.from(secret.reveal()), 0o600);
  }
  async forgetSecrets(): Promise<void> {
    await this.#files.removeTree(`${paths.runtime}/${this.#id}`);
    await this.#files.remove(paths.runtime); // where no other run needs it
  }

  async prepareAnswer(): Promise<void> {
    await this.#directories(paths.runtime, `${paths.runtime}/${this.#id}`);
  }
  async discardAnswer(step: string): Promise<void> {
    await this.#files.remove(answerPath(this.#id, step));
  }

  async close(): Promise<void> {
    await this.#open?.close();
    this.#open = undefined;
  }

  #image(number: number): string {
    return `${paths.runs}/${this.#id}/${number}.before`;
  }

  async #makeFolder(): Promise<void> {
    await this.#directories(paths.state, paths.runs, `${paths.runs}/${this.#id}`);
    await this.#files.syncNames(paths.state, paths.state); // the lock has made it
  }

  /** The machine's own directories above are made where they are missing; ours are for root alone. */
  async #directories(...own: string[]): Promise<void> {
    for (const [index, path] of own.entries()) {
      if (index === 0) await this.#files.createParents(path);
      await this.#files.createDirectory(path, 0o700);
    }
  }
}
