/** The runs of a machine. Each has a folder in `/var/lib/joinery/runs`; its secrets are in `/run/joinery`. */
import { randomBytes } from 'node:crypto';
import type { MachineFiles } from '../host/files.ts';
import { LIMITS } from '../limits/sizes.ts';
import { fail } from '../sdk/errors.ts';
import { defined } from '../sdk/fields.ts';
import { joineryPaths as paths } from '../sdk/paths.ts';
import { Secret } from '../sdk/secret.ts';
import { type Answer, answerPath, answerText } from './approval.ts';
import { EventLog, type ReadEvents, readEvents } from './event-log.ts';
import { type History, historyOf, isClosed, openApprovals } from './history.ts';
import { Journal } from './journal.ts';
import { type Damage, type ReadJournal, readIntact, readJournal } from './journal-file.ts';
import { differenceFrom, type MachineRecord, machineRecord } from './machine-id.ts';
import { memoryStore } from './memory.ts';
import { JOURNAL_VERSION } from './records.ts';
import { journalFile, RunFolder, unreadableFile } from './run-folder.ts';

/** How many finished runs are kept. A new run deletes older ones. */
export const RUNS_KEPT = 20;

export interface ExaminedRun {
  id: string;
  /** Up to the damage, if there is any; absent if nothing is readable. */
  history?: History;
  /** Why a part of the journal is unreadable. */
  error?: unknown;
}

export interface Salvaged {
  journal: Journal;
  /** The first unreadable line of the journal, and the path of a copy of the rest. */
  unknown?: Damage & { kept: string };
}

export class Runs {
  readonly #files: MachineFiles;
  readonly #now: () => Date;

  constructor(files: MachineFiles, now: () => Date = () => new Date()) {
    this.#files = files;
    this.#now = now;
  }

  /** The journal reaches the disk with its first change. */
  begin(start: Omit<Parameters<typeof Journal.begin>[2], 'id' | 'version'>): Journal {
    const id = idOf(this.#now());
    return Journal.begin(new RunFolder(this.#files, id), this.#now, { version: JOURNAL_VERSION, id, ...start });
  }

  /** The log in which a process continues the events of a run. */
  openEvents(id: string): Promise<EventLog> {
    return EventLog.open(this.#files, id);
  }

  /** Whether the text is the ID of a run whose events are stored. Its journal may be missing. */
  async hasEvents(id: string): Promise<boolean> {
    return ID.test(id) && (await this.readEvents(id, 0)) !== undefined;
  }

  /** Events of a run from `offset` in its log on. Undefined if it has no log. */
  readEvents(id: string, offset: number): Promise<ReadEvents | undefined> {
    return readEvents(this.#files, id, offset);
  }

  /** The identity of this machine, for the start record of a new run. */
  machine(): Promise<MachineRecord> {
    return machineRecord(this.#files);
  }

  /** Opens a journal to resume or undo its run. E_RUN_UNKNOWN, E_JOURNAL_DAMAGED, E_RUN_OTHER_MACHINE and others. */
  async open(id: string): Promise<Journal> {
    const journal = await this.peek(id);
    await this.requireOwn(journal.history());
    return journal;
  }

  /** Opens a journal only to read it, even if it belongs to another machine. */
  async peek(id: string): Promise<Journal> {
    const read = await this.#read(id);
    const secrets = await this.#secrets(id);
    const folder = new RunFolder(this.#files, id, read);
    return Journal.reopen(folder, this.#now, { records: read.records, secrets });
  }

  /** A copy of a journal for a rehearsal: what is recorded in it ends with the process. The errors of `open`. */
  async rehearse(id: string): Promise<Journal> {
    const read = await this.#read(id);
    await this.requireOwn(historyOf(read.records));
    const folder = new RunFolder(this.#files, id, read);
    const store = {
      ...memoryStore(),
      image: (number: number) => folder.image(number),
      original: (number: number) => folder.original(number),
    };
    return Journal.reopen(store, this.#now, { records: read.records, secrets: await this.#secrets(id) });
  }

  /** E_RUN_OTHER_MACHINE unless the run was started on this machine. */
  async requireOwn({ start: { id: run, machine } }: History): Promise<void> {
    if (machine === undefined) return; // of an earlier version
    const difference = await differenceFrom(machine, this.#files);
    if (difference !== undefined) throw fail('E_RUN_OTHER_MACHINE', { run, ...difference });
  }

  async history(id: string): Promise<History> {
    return historyOf((await this.#read(id)).records);
  }

  /** Reads the readable part of a run, even if its journal is damaged. */
  async examine(id: string): Promise<ExaminedRun> {
    try {
      const { records, damage } = await this.#readIntact(id);
      const error = damage === undefined ? undefined : fail('E_JOURNAL_DAMAGED', { file: journalFile(id), ...damage });
      return defined({ id, history: records.length === 0 ? undefined : historyOf(records), error });
    } catch (error) {
      return { id, error };
    }
  }

  /**
   * Opens the readable part of a journal to undo it. The rest is copied to a file beside the journal, because the next
   * record overwrites it. E_JOURNAL_DAMAGED if nothing is readable.
   */
  async salvage(id: string): Promise<Salvaged> {
    const file = journalFile(id);
    const read = await this.#readIntact(id);
    if (read.records.length === 0)
      throw fail('E_JOURNAL_DAMAGED', { file, line: 1, what: 'none of its records is readable' });
    const journal = Journal.reopen(new RunFolder(this.#files, id, read), this.#now, {
      records: read.records,
      secrets: await this.#secrets(id),
    });
    await this.requireOwn(journal.history());
    if (read.damage === undefined) return { journal };
    const kept = unreadableFile(id);
    const { content } = await this.#files.readStart(file, LIMITS.journal);
    await this.#files.replaceFile(kept, content.subarray(read.lengthBytes), 0o600);
    return { journal, unknown: { ...read.damage, kept } };
  }

  /** The ids of all runs, the newest first. */
  async ids(): Promise<string[]> {
    await this.#files.requireTrusted(paths.runs);
    const ids = (await this.#files.list(paths.runs)) ?? [];
    const written: string[] = [];
    for (const id of ids.reverse())
      if (ID.test(id) && (await this.#files.stat(journalFile(id))) !== undefined) written.push(id);
    return written;
  }

  /** The run whose ID starts with `given`, or else the newest run that `fits`. E_RUN_UNKNOWN, E_RUN_NONE. */
  async find(given: string | undefined, fits: (history: History) => boolean, what: string): Promise<string> {
    const ids = await this.ids();
    if (given !== undefined) {
      const [found, ...more] = given === '' ? [] : ids.filter((id) => id.startsWith(given));
      if (found !== undefined && more.length === 0) return found;
      throw fail('E_RUN_UNKNOWN', { given, ids });
    }
    for (const id of ids) if (fits(await this.history(id))) return id;
    throw fail('E_RUN_NONE', { what });
  }

  /** Writes the answer to an approval. The run need not be running. E_APPROVAL_NONE. */
  async answer(id: string, step: string, answer: Omit<Answer, 'via'>): Promise<void> {
    const open = openApprovals(await this.history(id));
    if (!open.includes(step)) throw fail('E_APPROVAL_NONE', { run: id, step, open });
    await new RunFolder(this.#files, id).prepareAnswer();
    const content = Buffer.from(answerText(answer));
    await this.#files.replaceFile(answerPath(id, step), content, 0o600);
  }

  /** Deletes a run: it can no longer be resumed or undone. */
  async remove(id: string): Promise<void> {
    await this.#files.remove(journalFile(id)); // first: a folder without a journal is not a run
    for (const folder of [paths.runtime, paths.runs]) await this.#files.removeTree(`${folder}/${id}`);
    await this.#files.remove(paths.runtime); // unless another run needs it
  }

  /**
   * Removes what killed runs left behind: folders without a journal, and the secrets of finished runs. Only call it
   * while holding the lock.
   */
  async tidy(): Promise<void> {
    const ids = await this.ids();
    for (const name of (await this.#files.list(paths.runs)) ?? []) {
      const [id] = name.replace(/^\./, '').split('.'); // a folder, or its temporary name
      if (id !== undefined && ID.test(id) && !ids.includes(id)) await this.remove(id);
    }
    for (const id of (await this.#files.list(paths.runtime)) ?? []) {
      const isDone = () => this.history(id).then(isClosed, () => false); // a damaged journal keeps its secrets
      if (!ids.includes(id) || (await isDone())) await this.#files.removeTree(`${paths.runtime}/${id}`);
    }
    // Only empty folders are removed. A folder that an administrator has replaced with a link to another disk stays.
    for (const path of [paths.runtime, paths.runs])
      if ((await this.#files.stat(path))?.kind !== 'link') await this.#files.remove(path);
  }

  /** Deletes all finished runs but the newest `keep`. Returns the IDs of the deleted runs. */
  async prune(keep: number): Promise<string[]> {
    const finished: string[] = [];
    const ids = await this.ids();
    if (ids.length <= keep) return finished; // the usual case reads no journal
    for (const id of ids) {
      const { history, error } = await this.examine(id);
      // A damaged journal is kept: it may be the only record of an unfinished run.
      if (history !== undefined && error === undefined && isClosed(history)) finished.push(id);
    }
    const removed = finished.slice(keep);
    for (const id of removed) await this.remove(id);
    return removed;
  }

  async #read(id: string): Promise<ReadJournal> {
    const file = journalFile(id);
    await this.#files.requireTrusted(file);
    const bytes = await this.#files.read(file, LIMITS.journal);
    if (bytes === undefined) throw fail('E_RUN_UNKNOWN', { given: id, ids: await this.ids() });
    const read = readJournal(file, bytes);
    if (read.records.length === 0)
      throw fail('E_JOURNAL_DAMAGED', { file, line: 1, what: 'it has no complete record' });
    return read;
  }

  /** A journal over the size limit is read up to the limit. */
  async #readIntact(id: string): Promise<ReadJournal> {
    const file = journalFile(id);
    await this.#files.requireTrusted(file);
    const { content, fileBytes } = await this.#files.readStart(file, LIMITS.journal);
    const read = { ...readIntact(file, content), fileBytes };
    const damage = { line: read.records.length + 1, what: `the file is longer than ${LIMITS.journal} bytes` };
    return fileBytes > content.length && read.damage === undefined ? { ...read, damage } : read;
  }

  async #secrets(id: string): Promise<Map<string, Secret>> {
    const secrets = new Map<string, Secret>();
    const folder = `${paths.runtime}/${id}`;
    for (const name of (await this.#files.list(folder)) ?? []) {
      await this.#files.requireTrusted(`${folder}/${name}`);
      const bytes =
        name.endsWith('.tmp') || name.startsWith('approval.') ? undefined : await this.#files.read(`${folder}/${name}`);
      if (bytes !== undefined) secrets.set(name, new Secret(bytes.toString('utf8')));
    }
    return secrets;
  }
}

const ID = /^\d{8}-\d{6}-[0-9a-f]{4}$/;
/** An id such as `20261124-105947-3f0a` sorts by time and is easy to type. */
const idOf = (now: Date): string => {
  const [date = '', time = ''] = now.toISOString().split('T');
  return `${date.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}-${randomBytes(2).toString('hex')}`;
};
