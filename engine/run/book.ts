/** What is known of every step of one run, and what an attempt of one does: inputs, ports, phase, checked outputs. */

import { violations } from '../documents/validate.ts';
import { temporaryName } from '../host/disk.ts';
import { type Host, type StepChange, subjectOf, type Wait, waitText } from '../host/host.ts';
import type { Journal, Looked } from '../journal/journal.ts';
import { type UndoItem, undoChanges } from '../journal/undo.ts';
import type { PlannedStep } from '../pipeline/check.ts';
import { inputOf, isToRun, outputsOf, type Plan, type Told } from '../pipeline/plan.ts';
import { fail, isJoinError, JoinError, type OwnError } from '../sdk/errors.ts';
import type { PhaseEvent } from '../sdk/phase.ts';
import type { Ports } from '../sdk/ports.ts';
import { wrapSecrets } from '../sdk/schema.ts';
import { revealSecrets } from '../sdk/secret.ts';
import { endsWell, type StepStatus } from '../sdk/step-status.ts';
import { type Ask, waitForApproval } from './approval.ts';
import { withPorts } from './attempt.ts';
import { blamed, noteAfter, recordOf } from './error-record.ts';
import type { RunEvent, StepResult } from './events.ts';
import { Listeners } from './listeners.ts';
import { Redactor } from './redact.ts';
import type { AttemptInput, Direction, MachineEvent } from './step-machine.ts';

export interface Bookkeeping {
  plan: Plan;
  host: Host;
  journal: Journal;
  onEvent: (event: RunEvent) => void;
  /** Asks whoever sits there, where somebody does. */
  ask?: Ask | undefined;
}

/** What is known of every step of one run. */
export class RunBook {
  readonly #plan: Plan;
  readonly #host: Host;
  readonly #journal: Journal;
  readonly #onEvent: (event: RunEvent) => void;
  readonly #ask: Ask | undefined;
  readonly #outputs = new Map<string, unknown>();
  /** How each step of this run has ended. */
  readonly #statuses = new Map<string, StepStatus>();
  readonly #told: Told & { run?: Readonly<Record<string, unknown>> };
  readonly #results: Map<string, StepResult>;
  readonly #steps: Map<string, PlannedStep>;
  readonly #begunAt = new Map<string, number>();
  readonly #redactor = new Redactor();
  /** What taking a step back needs to know. */
  readonly #inputs = new Map<string, object>();
  readonly #listeners: Listeners;
  #restored = false;
  #failure: unknown;
  #undoError: unknown;

  constructor({ plan, host, journal, onEvent, ask }: Bookkeeping) {
    this.#plan = plan;
    this.#host = host;
    this.#journal = journal;
    this.#onEvent = onEvent;
    this.#ask = ask;
    this.#told = { outputs: this.#outputs, statuses: this.#statuses, ...(host.isDry === true ? { isDry: true } : {}) };
    this.#listeners = new Listeners({
      event: () => ({
        at: host.now().toISOString(),
        run: journal.id,
        pipeline: plan.pipeline,
        machine: plan.host.name,
      }),
      errorOf: recordOf,
      redacted: (told) => this.#redactor.redacted(told),
      tell: (id, told, signal) => this.#tellStep(id, told, signal),
      warn: (id, text) => this.#warn(id, text),
    });
    this.#redactor.learn(plan.inputs);
    const steps = [...plan.steps, ...(plan.finally?.steps ?? [])];
    this.#steps = new Map(steps.map((step) => [step.id, step]));
    this.#results = new Map(
      steps.map(({ id, phase }) => [
        id,
        { id, phase: phase.name, status: 'skipped', attempts: 0, durationMs: 0, notes: [], changes: [] },
      ]),
    );
  }

  /** What the journal says is done, so that it is not done again. A step whose secrets are gone is, to get them anew, and so is all that comes after it. */
  resumeFrom(direction: Direction): Map<string, StepStatus> {
    const done = new Map<string, StepStatus>();
    const { steps } = this.#journal.history();
    for (const [id, step] of steps) {
      const planned = this.#steps.get(id);
      if (planned !== undefined) this.#inputs.set(id, this.#inputAgain(planned, step.input));
    }
    const isKept = (id: string): boolean => {
      const step = steps.get(id);
      const known = this.#steps.get(id);
      if (this.#isFinally(id)) return false; // it comes again, after what is done now
      if (step === undefined || known === undefined || !endsWell(step.status)) return false;
      return this.#journal.reveal(step.outputs).missing.length === 0 && known.needs.every(isKept);
    };
    for (const [id, { status, attempts, durationMs, outputs: kept, error }] of steps) {
      if (!isKept(id)) continue;
      const outputs = this.#journal.reveal(kept).value;
      this.#redactor.learn(outputs);
      const result = this.#result(id);
      Object.assign(result, { status, attempts, durationMs, outputs });
      if (error !== undefined) result.error = JoinError.own(error as OwnError);
      this.#outputs.set(id, outputs);
      this.#statuses.set(id, status as StepStatus);
      if (status === 'succeeded') this.#listeners.add(id, this.#steps.get(id)?.phase);
      done.set(id, status as StepStatus);
      if (direction === 'run' && status !== 'skipped') this.#onEvent({ type: 'step.kept', id });
    }
    return done;
  }

  /** What a process that was killed has left half-done beside the places that it was changing. */
  async tidy(signal: AbortSignal): Promise<void> {
    const paths = this.#journal.history().changes.flatMap(({ change }) => ('path' in change ? [change.path] : []));
    for (const path of new Set(paths)) await this.#host.apply({ kind: 'remove', path: temporaryName(path) }, signal);
  }

  /** What the journal has of an input, its secrets where the phase expects them. */
  #inputAgain({ phase }: PlannedStep, kept: unknown): object {
    const { value } = this.#journal.reveal(kept);
    this.#redactor.learn(value);
    return wrapSecrets(phase.input, revealSecrets(value)) as object; // every phase's input is one
  }

  results(): StepResult[] {
    return [...this.#results.values()];
  }

  notify(event: MachineEvent): void {
    const result = this.#result(event.id);
    const now = this.#host.now().getTime();
    if (event.type === 'step.started' && event.attempt === 1) this.#begunAt.set(event.id, now);
    if (event.type === 'step.ended') {
      const { id, status, attempts, error } = event;
      if (status === 'undone' || status === 'undo-failed') {
        result.status = status; // the rest tells how it ran
        if (error !== undefined) result.notes.push({ level: 'warn', text: `not undone: ${(error as Error).message}` });
        if (status === 'undo-failed') this.#undoError ??= error;
      } else {
        this.#statuses.set(id, status);
        Object.assign(result, { status, attempts, durationMs: now - (this.#begunAt.get(event.id) ?? now) });
        if (error !== undefined) result.error = error;
        if (status === 'failed') this.#failure ??= error;
        if (status === 'skipped') {
          this.#write(this.#journal.skipped(id, result.phase));
          this.#onEvent(event);
          return;
        }
        const { durationMs, outputs } = result;
        const told = {
          status,
          attempts,
          durationMs,
          outputs,
          ...(error === undefined ? {} : { error: recordOf(error) }),
        };
        this.#write(this.#journal.done(id, told));
      }
      if (status === 'undone') this.#write(this.#journal.undone({ step: id }));
    }
    this.#onEvent(event);
    this.#listeners.happened(event);
  }

  async #tellStep(id: string, told: PhaseEvent, signal: AbortSignal): Promise<void> {
    const [step, input] = [this.#steps.get(id), this.#inputs.get(id)];
    if (step === undefined || input === undefined) return;
    await this.#withPorts(step, input, 'tell', signal, async (ports) => step.phase.onEvent?.(ports, input, told));
  }

  #warn(id: string, said: string): void {
    const text = this.#redactor.redacted(said);
    this.#results.get(id)?.notes.push({ level: 'warn', text });
    this.#onEvent({ type: 'step.log', id, level: 'warn', text });
  }

  #isFinally(id: string): boolean {
    return this.#plan.finally?.steps.some((step) => step.id === id) ?? false;
  }

  /** From here on the steps of `finally` can read how the run has ended, and how each of its steps has. */
  beginFinally({ status, error }: { status: 'succeeded' | 'failed' | 'cancelled'; error?: unknown }): void {
    const code = error === undefined ? {} : { error: recordOf(error).code };
    this.#told.run = { status: this.#restored ? 'undone' : status, ...code };
    for (const { id } of this.#plan.steps) this.#statuses.set(id, this.#result(id).status);
    this.#failure = undefined;
  }

  /** Whether a step is to run, by its condition. */
  decide(id: string): 'run' | 'skipped' | 'undecided' {
    const step = this.#steps.get(id);
    if (step === undefined) throw new Error(`no step ${id}`);
    try {
      const isWanted = isToRun(this.#plan, step, this.#told);
      return isWanted === undefined ? 'undecided' : isWanted ? 'run' : 'skipped';
    } catch (error) {
      throw blamed(this.#redactor.redacted(error), id);
    }
  }

  /** One try of a step, or of undoing it. */
  async attempt({
    id,
    direction,
    attempt,
    signal,
    waiting,
  }: AttemptInput): Promise<'succeeded' | 'undecided' | 'undone'> {
    const step = this.#steps.get(id);
    if (step === undefined) throw new Error(`no step ${id}`);
    try {
      return await (direction === 'run' ? this.#run(step, attempt, signal, waiting) : this.#undo(step, signal));
    } catch (error) {
      throw blamed(this.#redactor.redacted(error), id, signal);
    }
  }

  /** Its inputs, its ports, its phase, its checked outputs. */
  async #run(
    step: PlannedStep,
    attempt: number,
    signal: AbortSignal,
    waiting: AttemptInput['waiting'],
  ): Promise<'succeeded' | 'undecided'> {
    const { id, phase } = step;
    const result = this.#result(id);
    result.notes = []; // those of the attempt before
    const input = inputOf(this.#plan, step, this.#told);
    if (input === undefined) return 'undecided'; // as what it reads
    this.#inputs.set(id, input);
    this.#redactor.learn(input);
    this.#journal.begun(id, phase.name, attempt, this.#redactor.wrapped(input));
    try {
      const given =
        step.approval === undefined
          ? await this.#withPorts(step, input, 'run', signal, (ports) => phase.run(ports, input))
          : await waitForApproval(
              { step: id, ...step.approval, ...(input as { message: string }) },
              {
                ...{ journal: this.#journal, host: this.#host, signal, ask: this.#ask, waiting },
                onQuestion: (question) => this.#onEvent({ type: 'step.asked', id, question }),
                log: (text) => this.#tell(id, 'info', text),
              },
            );
      const outputs = wrapSecrets(phase.output, given);
      this.#redactor.learn(outputs);
      const problems = violations(phase.output, revealSecrets(outputs)).map(
        ({ path, message }) => `${path.join('.')} ${message}`,
      );
      if (problems.length > 0) throw fail('E_OUTPUT', { phase: phase.name, problems });
      result.outputs = this.#redactor.wrapped(outputs);
      this.#outputs.set(id, result.outputs);
      this.#listeners.add(id, phase);
      return 'succeeded';
    } catch (error) {
      if (!isJoinError(error) || error.code !== 'E_UNDECIDED') throw error;
      result.notes.push({ level: 'warn', text: this.#redactor.redacted(error.message) });
      return 'undecided';
    }
  }

  /** What left the machine is the phase's to take back; the machine itself is restored when all steps have done so. */
  async #undo(step: PlannedStep, signal: AbortSignal): Promise<'undone'> {
    const { id, phase } = step;
    const input = this.#inputs.get(id);
    const isTouched = this.#journal.history().changes.some((change) => change.step === id);
    if (isTouched) await this.#journal.undoing(id);
    if (input !== undefined && isTouched && phase.undo !== undefined)
      await this.#withPorts(step, input, 'undo', signal, async (ports) => phase.undo?.(ports, input));
    return 'undone';
  }

  /** Puts back what the run changed on this machine. Throws where a part of it stays changed. */
  async restore(overwrite: boolean, signal: AbortSignal): Promise<void> {
    const left = new Set<string>();
    const onItem = (told: UndoItem) => {
      const item = this.#redactor.redacted(told);
      this.#onEvent({ type: 'step.restored', id: item.step, item });
      const { outcome, step, why } = item;
      if (outcome === 'restored') return;
      const text = `${subjectOf(item.change)} ${outcome === 'stays' ? 'stays' : 'is not put back'}: ${why}`;
      this.#results.get(step)?.notes.push({ level: 'warn', text });
      if (outcome !== 'stays') left.add(step);
    };
    await undoChanges({ journal: this.#journal, host: this.#host, overwrite, signal, onItem });
    for (const id of left) {
      const result = this.#results.get(id);
      if (result !== undefined) result.status = 'undo-failed';
    }
    this.#restored = left.size === 0;
    if (this.#restored) return;
    this.#undoError = fail('E_UNDO_REFUSED', { run: this.#journal.id, steps: [...left] });
    throw this.#undoError;
  }

  /** What the first step that failed has failed with. */
  get failure(): unknown {
    return this.#failure;
  }

  /** What the pipeline gives, of a run that succeeded. E_INPUT where a part of it has no value. */
  outputs(): unknown {
    const { outputs } = this.#plan;
    return outputs === undefined ? undefined : outputsOf(this.#plan, outputs, this.#told);
  }

  /** Why not everything was taken back. */
  get undoError(): unknown {
    return this.#undoError;
  }

  /** The journal's last word. One that is taken back in part has none: there is something left to do. */
  async finish(direction: Direction, status: 'succeeded' | 'failed' | 'cancelled', error: unknown): Promise<void> {
    await this.#listeners.ended(status, error);
    const isCut = this.#journal.history().status === 'undoing' && !this.#restored;
    if (isCut || (direction === 'undo' && status !== 'succeeded')) return;
    const told = error === undefined ? {} : { error: recordOf(error) };
    const last = { status: this.#restored ? 'undone' : status, ...told } as const;
    await this.#journal.finished(last).catch((unwritten: Error) => {
      const [id = ''] = [...this.#results.keys()].slice(-1);
      this.#onEvent({ type: 'step.log', id, level: 'warn', text: `not journaled: ${unwritten.message}` });
    });
  }

  /** Records that need not be durable are written on the side; when they cannot be, the next change says so. */
  #write(written: Promise<void>): void {
    written.catch(() => undefined);
  }

  async #withPorts<T>(
    { id, phase }: PlannedStep,
    input: object,
    direction: Direction | 'tell',
    signal: AbortSignal,
    act: (ports: Ports) => Promise<T>,
  ): Promise<T> {
    const result = this.#result(id);
    const lent = {
      ...{ phase, input, signal, host: this.#host },
      hasSecret: (text: string) => this.#redactor.isIn(text),
      log: (level: 'info' | 'warn', said: string) => this.#tell(id, level, said),
      onChange: (change: StepChange) => {
        if (direction === 'tell') return;
        result.changes.push(change);
        this.#onEvent({ type: 'step.change', id, change });
      },
      onWait: (wait: Wait) => this.#onEvent({ type: 'step.wait', id, what: this.#redactor.redacted(waitText(wait)) }),
      // Taking back is not itself taken back.
      journaled: async (told: StepChange, look: () => Promise<Looked>) => {
        if (direction === 'run') await this.#journal.change(id, told, look);
      },
      once: async (name: string, make: () => string, anew: boolean) => {
        const value = await this.#journal.once(id, name, make, anew);
        this.#redactor.learn(value);
        return value;
      },
    };
    return withPorts(lent, act);
  }

  #tell(id: string, level: 'info' | 'warn', text: string): void {
    const { notes } = this.#result(id);
    const told = noteAfter(notes, text, (note) => this.#redactor.redacted(note));
    if (told === undefined) return;
    notes.push({ level, text: told });
    this.#onEvent({ type: 'step.log', id, level, text: told });
  }

  #result(id: string): StepResult {
    const result = this.#results.get(id);
    if (result === undefined) throw new Error(`no step ${id}`);
    return result;
  }
}
