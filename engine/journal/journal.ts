/** The journal of one run. It records each change before it is applied, so that every run can be resumed or undone. */
import type { Snapshot, StepChange } from '../host/changes/index.ts';
import { LIMITS } from '../limits/sizes.ts';
import { defined } from '../sdk/fields.ts';
import type { MakeRandom } from '../sdk/ports.ts';
import { Secret } from '../sdk/secret.ts';
import type { Answer } from './approval.ts';
import { extendHistory, type History, historyOf } from './history.ts';
import { JournalSecrets } from './journal-secrets.ts';
import type { Durability, JournalStore, StoredJournal } from './journal-store.ts';
import type { Entry, JournalRecord } from './records.ts';
import { JournalRoom, jsonLength, shortened } from './room.ts';
import { type RecordedChange, RunChanges } from './run-changes.ts';

export type { JournalStore, StoredJournal } from './journal-store.ts';

/** Removes a change from the account of the run, because it was refused: nothing has changed. */
export type Withdraw = () => Promise<void>;

type Fields<K extends Entry['kind']> = Omit<Extract<Entry, { kind: K }>, 'kind'>;

export class Journal {
  readonly #store: JournalStore;
  readonly #now: () => Date;
  readonly #records: JournalRecord[];
  readonly #room: JournalRoom;
  readonly #secrets: JournalSecrets;
  /** How many records are in the store. */
  #written: number;
  /** A record needs the journal on disk. A run that is refused before its first change leaves no journal. */
  #isNeeded = false;
  readonly #changes: RunChanges;
  /** Kept up to date as soon as an undo needs it: each of its steps asks. */
  #history: History | undefined;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(store: JournalStore, now: () => Date, { records, secrets }: StoredJournal) {
    this.#store = store;
    this.#now = now;
    this.#records = records;
    this.#room = new JournalRoom(records);
    this.#secrets = new JournalSecrets(secrets);
    this.#written = records.length;
    this.#changes = new RunChanges(records);
  }

  static begin(store: JournalStore, now: () => Date, start: Fields<'start'>): Journal {
    const journal = new Journal(store, now, { records: [], secrets: new Map() });
    journal.#note({ kind: 'start', ...start, inputs: journal.#secrets.hideInputs(start.inputs) });
    return journal;
  }

  static reopen(store: JournalStore, now: () => Date, stored: StoredJournal): Journal {
    return new Journal(store, now, stored);
  }

  get id(): string {
    return this.history().start.id;
  }
  /** The run has changed something, so its journal is in the store. */
  get isWritten(): boolean {
    return this.#written > 0;
  }
  history(): History {
    return historyOf(this.#records);
  }
  /** The changes that are recorded of the step. */
  changesOf(step: string): readonly StepChange[] {
    return this.#changes.of(step);
  }
  /** `value` with its secrets, and the names of those that no longer exist. */
  reveal(value: unknown): { value: unknown; missing: string[] } {
    return this.#secrets.reveal(value);
  }

  /** The run resumes with these inputs. They may differ, for example if a new token replaces an expired one. */
  resumed(inputs: unknown): Promise<void> {
    this.#note({ kind: 'resumed' });
    this.#secrets.hideInputs(inputs);
    return this.#inOrder(() => this.#write('buffered'));
  }

  begun(step: string, phase: string, attempt: number, input: unknown): void {
    this.#note({ kind: 'begun', step, phase, attempt, input: this.#secrets.hide(input, `step.${step}`) });
  }

  /**
   * Call it before the change. When it resolves, the change can be undone, even after a crash. The function that it
   * resolves with is for a change that is refused.
   */
  change(step: string, change: StepChange, snapshot: () => Promise<Snapshot>): Promise<Withdraw> {
    return this.#inOrder(async () => {
      if (this.#changes.hasCreated(step, change)) return async () => undefined;
      const isRepeated = this.#changes.hasChangedPathOf(change);
      const { before, image, after } = await snapshot();
      const entry = {
        kind: 'change',
        step,
        change: withoutLongContent(change),
        ...defined({ after }),
      } as const;
      if (isRepeated) this.#note({ ...entry, before: { kind: 'earlier' } });
      else if (before.kind === 'file' && image !== undefined && 'path' in change) {
        const noted = { ...entry, before: { ...before, image: this.#changes.nextImage } };
        this.#room.require(this.#recordOf(noted)); // a refused change leaves no image
        await this.#store.saveImage(this.#changes.takeImage(), image, change.path);
        this.#note(noted);
      } else this.#note({ ...entry, before });
      const recorded = { seq: this.#records.length, step, change: entry.change, isRepeated };
      await this.#write('durable').catch((unwritten: Error) => {
        this.#refuse(recorded);
        throw unwritten;
      });
      this.#changes.keepPath(change);
      return () => {
        this.#refuse(recorded);
        return this.#inOrder(() => this.#write('buffered')); // if the record is lost, an undo has nothing to restore
      };
    });
  }

  #refuse(recorded: RecordedChange): void {
    this.#note({ kind: 'refused', change: recorded.seq });
    this.#changes.withdraw(recorded);
  }

  /** A random value that stays the same if the run is resumed after a crash. */
  async once(step: string, name: string, make: MakeRandom): Promise<Secret> {
    const recorded = () => this.#secrets.get(onceKey(step, name));
    const known = recorded();
    if (known !== undefined) return known;
    const made = new Secret(await make());
    return this.#inOrder(async () => recorded() ?? this.#newRandom(step, name, made));
  }

  /** A new random value that replaces the current one. */
  async again(step: string, name: string, make: MakeRandom): Promise<Secret> {
    const made = new Secret(await make());
    return this.#inOrder(() => this.#newRandom(step, name, made));
  }

  async #newRandom(step: string, name: string, value: Secret): Promise<Secret> {
    this.#note({ kind: 'once', step, name });
    this.#secrets.set(onceKey(step, name), value);
    await this.#write('durable');
    return value;
  }

  /** Keeps room for the end of a step with these outputs. E_JOURNAL_LIMIT if they do not fit. */
  reserveEnd(step: string, outputs: unknown): void {
    const place = { seq: this.#records.length + 1, at: this.#now().toISOString() };
    const end = { kind: 'done', step, status: 'succeeded', attempts: 1, durationMs: 0 } as const;
    this.#room.reserve({ ...place, ...end, ...this.#hidden(step, outputs) });
  }

  /** Not durable: if the record is lost, the step runs again. */
  done(step: string, { outputs, error, ...fields }: Omit<Fields<'done'>, 'step'>): Promise<void> {
    const failure = error === undefined ? {} : { error: shortened(error) };
    this.#note({ kind: 'done', step, ...fields, ...this.#hidden(step, outputs), ...failure });
    return this.#inOrder(() => this.#write('buffered'));
  }

  /** Durable before the question appears: the deadline holds even if this process dies. Discards an older answer. */
  asked(step: string, message: string, until: Date): Promise<void> {
    this.#note({ kind: 'asked', step, message, until: until.toISOString() });
    return this.#inOrder(async () => {
      await this.#write('durable');
      await this.#store.prepareAnswer();
      await this.#store.discardAnswer(step);
    });
  }

  /** A resumed run repeats its question. An answer that has arrived in the meantime counts. */
  repeatQuestion(): Promise<void> {
    return this.#inOrder(async () => {
      await this.#write('durable');
      await this.#store.prepareAnswer();
    });
  }

  #hidden(step: string, outputs: unknown): { outputs?: unknown } {
    return outputs === undefined ? {} : { outputs: this.#secrets.hide(outputs, `output.${step}`) };
  }

  answered(step: string, answer: Answer): Promise<void> {
    this.#note({ kind: 'answered', step, answer });
    return this.#inOrder(() => this.#write('durable'));
  }

  skipped(step: string, phase: string): Promise<void> {
    this.#note({ kind: 'skipped', step, phase });
    return this.#inOrder(() => this.#write('buffered'));
  }

  /** Call it before a phase undoes its step. After that, a resumed run does not treat the step as done. */
  undoing(step: string): Promise<void> {
    if (!this.#isUndoing(step, ['undoing', 'undone'])) this.#note({ kind: 'undoing', step });
    return this.#inOrder(() => this.#write('durable'));
  }

  undone(what: { change: number; stays?: true } | { step: string }): Promise<void> {
    if (!('step' in what && this.#isUndoing(what.step, ['undone']))) this.#note({ kind: 'undone', ...what });
    if ('change' in what) {
      const undone = this.#records[what.change - 1];
      if (undone?.kind === 'change' && undone.before.kind !== 'earlier') this.#changes.forgetPath(undone.change);
    }
    return this.#inOrder(() => this.#write('durable'));
  }

  /** Repeated undos must not fill the journal. */
  #isUndoing(step: string, statuses: readonly string[]): boolean {
    this.#history ??= this.history();
    const { status, steps } = this.#history;
    return status === 'undoing' && statuses.includes(steps.get(step)?.status ?? '');
  }

  original(number: number): string | undefined {
    return this.#store.original(number);
  }

  image(number: number): Promise<Buffer | undefined> {
    return this.#store.image(number);
  }

  /** A run that is over no longer needs its secrets. After an undo or a reset, it no longer needs its images. */
  finished(fields: Fields<'finished'>): Promise<void> {
    return this.#inOrder(async () => {
      const { status, error } = fields;
      try {
        // The images go first, so that a failure here is retried.
        if (this.isWritten && status === 'undone') await this.#store.deleteImages();
        this.#note({ ...fields, kind: 'finished', ...defined({ error: error && shortened(error) }) });
        await this.#write('durable');
      } finally {
        // Also if the record cannot be written, because the token and the key are no longer needed.
        const isOver = this.isWritten && (status === 'undone' || status === 'succeeded');
        const isUnrecorded = this.#isNeeded && !this.isWritten; // so it cannot be resumed
        if (isOver || isUnrecorded) await this.#store.deleteSecrets();
      }
    });
  }

  /** Call it after the last write of this process. */
  close(): Promise<void> {
    return this.#inOrder(() => this.#store.close());
  }

  #note(entry: Entry): void {
    const record = this.#recordOf(entry);
    this.#room.take(record);
    this.#isNeeded ||= entry.kind === 'change' || entry.kind === 'once' || entry.kind === 'asked';
    this.#records.push(record);
    if (record.kind === 'change') this.#changes.add(record.step, record.change);
    if (this.#history !== undefined) extendHistory(this.#history, record);
  }

  #recordOf(entry: Entry): JournalRecord {
    return { seq: this.#records.length + 1, at: this.#now().toISOString(), ...entry };
  }

  /** Secrets are saved first, so that every journal in the store can be resumed. */
  async #write(durability: Durability): Promise<void> {
    if (!this.isWritten && !this.#isNeeded) return;
    const records = this.#records.slice(this.#written);
    await this.#secrets.save(this.#store);
    await this.#store.append(records, durability);
    this.#written += records.length;
  }

  /** Runs acts one after the other, in the order of the calls. An undo relies on this order across parallel steps. */
  #inOrder<T>(act: () => Promise<T>): Promise<T> {
    const next = this.#last.then(act, act);
    this.#last = next.catch(() => undefined);
    return next;
  }
}

const onceKey = (step: string, name: string): string => `once.${step}.${encodeURIComponent(name)}`;

/** The journal does not archive files: for long content it keeps only the digest. */
function withoutLongContent(change: StepChange): StepChange {
  if (change.kind !== 'file' || change.content === undefined) return change;
  return jsonLength(change.content) > LIMITS.recordedContent ? { ...change, content: undefined } : change;
}
