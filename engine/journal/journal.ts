/** The journal of one run: written before each change, so that whatever happens next can be continued or taken back. */

import type { Snapshot, StepChange } from '../host/changes/index.ts';
import { Secret } from '../sdk/secret.ts';
import type { Answer } from './approval.ts';
import { type History, historyOf } from './history.ts';
import type { Entry, JournalRecord } from './records.ts';
import { withoutSecrets, withSecretsBack } from './secrets.ts';

/** Where a journal is kept: on disk, or in memory where nothing has to outlive the process. */
export interface JournalStore {
  /** Adds records in order, all of them durable before it returns where `durable` is set. */
  append(records: readonly JournalRecord[], durable: boolean): Promise<void>;
  keepImage(number: number, bytes: Buffer): Promise<void>;
  image(number: number): Promise<Buffer | undefined>;
  forgetImages(): Promise<void>;
  keepSecret(name: string, secret: Secret): Promise<void>;
  forgetSecrets(): Promise<void>;
  /** Creates the directory in which an answer can arrive. */
  prepareAnswer(): Promise<void>;
  discardAnswer(step: string): Promise<void>;
  close(): Promise<void>;
}

export interface StoredJournal {
  records: JournalRecord[];
  secrets: Map<string, Secret>;
}

const CONTENT_BYTES_MAX = 64 << 10;

export class Journal {
  readonly #store: JournalStore;
  readonly #now: () => Date;
  readonly #records: JournalRecord[];
  readonly #secrets: Map<string, Secret>;
  /** How many records are in the store. None before the first change: a refusal leaves nothing. */
  #written: number;
  /** There is a change, a random value or a question to be kept. */
  #isCalledFor = false;
  readonly #unwrittenSecrets = new Set<string>();
  /** Paths this run has changed, and not yet taken back. */
  readonly #changed: Set<string>;
  #images: number;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(store: JournalStore, now: () => Date, { records, secrets }: StoredJournal) {
    this.#store = store;
    this.#now = now;
    this.#records = records;
    this.#secrets = secrets;
    this.#written = records.length;
    const changes = records.length === 0 ? [] : historyOf(records).changes;
    this.#images = Math.max(0, ...changes.map(({ before }) => (before.kind === 'file' ? (before.image ?? 0) : 0)));
    this.#changed = new Set(changes.flatMap(({ change, undone }) => ('path' in change && !undone ? change.path : [])));
  }

  static begin(store: JournalStore, now: () => Date, start: Omit<Extract<Entry, { kind: 'start' }>, 'kind'>): Journal {
    const journal = new Journal(store, now, { records: [], secrets: new Map() });
    journal.#note({ kind: 'start', ...start, inputs: journal.#hideInputs(start.inputs) });
    return journal;
  }

  static reopen(store: JournalStore, now: () => Date, opened: StoredJournal): Journal {
    return new Journal(store, now, opened);
  }

  get id(): string {
    return this.history().start.id;
  }
  /** Anything was changed, and so written down. */
  get isWritten(): boolean {
    return this.#written > 0;
  }
  history(): History {
    return historyOf(this.#records);
  }
  /** `value` as it was before its secrets were hidden, and which of them are gone. */
  reveal(value: unknown): { value: unknown; missing: string[] } {
    return withSecretsBack(value, (name) => this.#secrets.get(name));
  }

  /** The run goes on, with these inputs: a token that replaces one that has expired, say. */
  resumed(inputs: unknown): Promise<void> {
    this.#hideInputs(inputs);
    this.#note({ kind: 'resumed' });
    return this.#inOrder(() => this.#write(false));
  }

  begun(step: string, phase: string, attempt: number, input: unknown): void {
    this.#note({ kind: 'begun', step, phase, attempt, input: this.#hide(input, `step.${step}`) });
  }

  /** Call it before the change: when this returns, the change can be taken back whatever happens. */
  change(step: string, told: StepChange, look: () => Promise<Snapshot>): Promise<void> {
    return this.#inOrder(async () => {
      const isAgain = 'path' in told && this.#changed.has(told.path);
      const { before, image, after } = await look();
      const entry = { kind: 'change', step, change: short(told), ...(after === undefined ? {} : { after }) } as const;
      if (isAgain) this.#note({ ...entry, before: { kind: 'earlier' } });
      else if (before.kind === 'file' && image !== undefined) {
        const number = ++this.#images;
        await this.#store.keepImage(number, image);
        this.#note({ ...entry, before: { ...before, image: number } });
      } else this.#note({ ...entry, before });
      await this.#write(true);
      if ('path' in told) this.#changed.add(told.path);
    });
  }

  /** A random value that is the same when the run goes on after a crash. */
  once(step: string, name: string, make: () => string): Promise<Secret> {
    return this.#inOrder(async () => this.#secrets.get(onceKey(step, name)) ?? this.#newRandom(step, name, make));
  }

  /** A new random value in place of the one that is kept. */
  again(step: string, name: string, make: () => string): Promise<Secret> {
    return this.#inOrder(() => this.#newRandom(step, name, make));
  }

  async #newRandom(step: string, name: string, make: () => string): Promise<Secret> {
    const value = new Secret(make());
    this.#keep(onceKey(step, name), value);
    this.#note({ kind: 'once', step, name });
    await this.#write(true);
    return value;
  }

  done(step: string, entry: Omit<Extract<Entry, { kind: 'done' }>, 'kind' | 'step'>): Promise<void> {
    const outputs = entry.outputs === undefined ? {} : { outputs: this.#hide(entry.outputs, `output.${step}`) };
    this.#note({ kind: 'done', step, ...entry, ...outputs });
    return this.#inOrder(() => this.#write(false)); // lost, it is only done again
  }

  /** Durable before the question appears: the deadline holds even if this process dies. An older answer is discarded. */
  asked(step: string, message: string, until: Date): Promise<void> {
    this.#note({ kind: 'asked', step, message, until: until.toISOString() });
    return this.#inOrder(async () => {
      await this.#write(true);
      await this.#store.prepareAnswer();
      await this.#store.discardAnswer(step);
    });
  }

  /** A resumed run repeats its question. An answer that has arrived in the meantime counts. */
  repeatQuestion(): Promise<void> {
    return this.#inOrder(async () => {
      await this.#write(true);
      await this.#store.prepareAnswer();
    });
  }

  answered(step: string, answer: Answer): Promise<void> {
    this.#note({ kind: 'answered', step, answer });
    return this.#inOrder(() => this.#write(true));
  }

  skipped(step: string, phase: string): Promise<void> {
    this.#note({ kind: 'skipped', step, phase });
    return this.#inOrder(() => this.#write(false));
  }

  /** Call it before a step's own undo: when this returns, the run is not gone on with as if the step were still done. */
  undoing(step: string): Promise<void> {
    this.#note({ kind: 'undoing', step });
    return this.#inOrder(() => this.#write(true));
  }

  undone(what: { change: number } | { step: string }): Promise<void> {
    this.#note({ kind: 'undone', ...what });
    if ('change' in what) {
      const undone = this.#records[what.change - 1];
      if (undone?.kind === 'change' && 'path' in undone.change && undone.before.kind !== 'earlier')
        this.#changed.delete(undone.change.path);
    }
    return this.#inOrder(() => this.#write(true));
  }

  image(number: number): Promise<Buffer | undefined> {
    return this.#store.image(number);
  }

  /** What was needed to go on is forgotten where nothing is left to go on with. */
  finished(entry: Omit<Extract<Entry, { kind: 'finished' }>, 'kind'>): Promise<void> {
    return this.#inOrder(async () => {
      if (this.isWritten && entry.status === 'undone') await this.#store.forgetImages(); // while it can be tried again
      this.#note({ kind: 'finished', ...entry });
      await this.#write(true);
      if (!this.isWritten) return;
      if (entry.status === 'undone' || entry.status === 'succeeded') await this.#store.forgetSecrets();
    });
  }

  /** When nothing more is to come from this process. */
  close(): Promise<void> {
    return this.#inOrder(() => this.#store.close());
  }

  #note(entry: Entry): void {
    this.#isCalledFor ||= entry.kind === 'change' || entry.kind === 'once' || entry.kind === 'asked';
    this.#records.push({ seq: this.#records.length + 1, at: this.#now().toISOString(), ...entry });
  }

  /** Writes what is not written yet; `durable` is what changes ask for, and only they create the journal. */
  async #write(durable: boolean): Promise<void> {
    if (!this.isWritten && !this.#isCalledFor) return;
    const records = this.#records.slice(this.#written);
    await this.#writeSecrets(); // first: a journal that is there can be gone on with
    await this.#store.append(records, durable);
    this.#written += records.length;
  }

  async #writeSecrets(): Promise<void> {
    for (const name of this.#unwrittenSecrets) {
      const secret = this.#secrets.get(name);
      if (secret !== undefined) await this.#store.keepSecret(name, secret);
      this.#unwrittenSecrets.delete(name);
    }
  }

  /** Each under its own name: it may be given anew, and stands in all the places that it has got to. */
  #hideInputs(inputs: unknown): unknown {
    return withoutSecrets(inputs, 'input', (name, secret) => this.#keep(name, secret));
  }

  #hide(value: unknown, name: string): unknown {
    return withoutSecrets(value, name, (at, secret) => {
      for (const [kept, other] of this.#secrets) if (other.reveal() === secret.reveal()) return kept;
      return this.#keep(at, secret);
    });
  }

  #keep(name: string, secret: Secret): string {
    if (this.#secrets.get(name)?.reveal() !== secret.reveal()) {
      this.#secrets.set(name, secret);
      this.#unwrittenSecrets.add(name);
    }
    return name;
  }

  /** One after the other, in the order of the calls: the journal's order is the order of undoing, across steps that run at once. */
  #inOrder<T>(act: () => Promise<T>): Promise<T> {
    const next = this.#last.then(act, act);
    this.#last = next.catch(() => undefined);
    return next;
  }
}

const onceKey = (step: string, name: string): string => `once.${step}.${encodeURIComponent(name)}`;

/** A journal is no archive: long contents are told by their digest alone. */
function short(change: StepChange): StepChange {
  if (change.kind !== 'file' || change.content === undefined) return change;
  return Buffer.byteLength(change.content) > CONTENT_BYTES_MAX ? { ...change, content: undefined } : change;
}
