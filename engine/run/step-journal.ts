/** The journal as one attempt of a step uses it. */
import type { Snapshot, StepChange } from '../host/changes/index.ts';
import type { Journal, Withdraw } from '../journal/journal.ts';
import type { MakeRandom } from '../sdk/ports.ts';
import type { Secret } from '../sdk/secret.ts';
import type { Redactor } from './redact.ts';

/** What an attempt is for: to run the step, to undo it, or to pass an event to its phase. */
export type Purpose = 'run' | 'undo' | 'event';

export interface StepJournalOptions {
  journal: Journal;
  redactor: Redactor;
  step: string;
  purpose: Purpose;
}

export class StepJournal {
  readonly #options: StepJournalOptions;

  constructor(options: StepJournalOptions) {
    this.#options = options;
  }

  /** Resolves when the change may be made. Only the changes of a run are recorded: an undo is not undone. */
  async change(change: StepChange, snapshot: () => Promise<Snapshot>): Promise<Withdraw> {
    const { journal, step, purpose } = this.#options;
    return purpose === 'run' ? journal.change(step, change, snapshot) : async () => undefined;
  }

  /** A random value of the step, the same in every attempt. */
  async once(name: string, make: MakeRandom): Promise<Secret> {
    return this.#learned(await this.#options.journal.once(this.#options.step, name, make));
  }

  /** A new random value in place of the one of earlier attempts. */
  async again(name: string, make: MakeRandom): Promise<Secret> {
    return this.#learned(await this.#options.journal.again(this.#options.step, name, make));
  }

  #learned(value: Secret): Secret {
    this.#options.redactor.learn(value);
    return value;
  }
}
