/** Records what happens in a run: in its state, in its journal, and as events for the views of the run. */
import { fail, isJoinError } from '../sdk/errors.ts';
import { defined } from '../sdk/fields.ts';
import { errorRecord, noteAfter } from './error-record.ts';
import type { RunResources, RunState } from './run-state.ts';
import type { Direction, MachineEvent, StepEnd } from './step-machine.ts';

export class RunRecorder {
  readonly #resources: RunResources;
  readonly #state: RunState;
  readonly #startedAt = new Map<string, number>();

  constructor(resources: RunResources, state: RunState) {
    this.#resources = resources;
    this.#state = state;
  }

  record(event: MachineEvent): void {
    if (event.type === 'step.started' && event.attempt === 1) this.#startedAt.set(event.id, this.#now());
    if (event.type === 'step.ended') {
      if (event.status === 'undone' || event.status === 'undo-failed') this.#recordUndo(event);
      else this.#recordEnd(event);
    }
    this.#resources.onEvent(event);
  }

  /** The result keeps how the step ran, except for its status and its duration, which are those of the undo. */
  #recordUndo({ id, status, error }: StepEnd): void {
    const result = this.#state.result(id);
    result.status = status;
    result.durationMs = this.#now() - (this.#startedAt.get(id) ?? this.#now());
    if (error !== undefined) result.notes.push({ level: 'warn', text: `not undone: ${(error as Error).message}` });
    if (status === 'undo-failed') this.#noteUndoFailure(id, error);
    else inBackground(this.#resources.journal.undone({ step: id }));
  }

  /** An undo that was stopped has not failed. */
  #noteUndoFailure(step: string, error: unknown): void {
    if (!(error instanceof Error) || (isJoinError(error) && error.code === 'E_CANCELLED')) return;
    const { undoFailures } = this.#state;
    undoFailures.set(step, error.message);
    const steps = [...undoFailures].map(([id, why]) => ({ id, why }));
    this.#state.undoError = fail('E_UNDO_FAILED', { run: this.#resources.journal.id, steps }, error);
  }

  #recordEnd({ id, status, attempts, error }: StepEnd): void {
    const { journal } = this.#resources;
    const result = this.#state.result(id);
    const now = this.#now();
    const durationMs = now - (this.#startedAt.get(id) ?? now);
    this.#state.setStatus(id, status);
    Object.assign(result, { status, attempts, durationMs });
    if (error !== undefined) result.error = error;
    if (status === 'failed') this.#state.failures.set(id, error);
    const { phase, outputs } = result;
    if (status === 'skipped') inBackground(journal.skipped(id, phase));
    else inBackground(journal.done(id, { status, attempts, durationMs, outputs, ...recordedError(error) }));
  }

  /** A note of a phase, without secrets. Beyond a limit, notes are dropped. */
  log(id: string, level: 'info' | 'warn', text: string): void {
    const { redactor, onEvent } = this.#resources;
    const { notes } = this.#state.result(id);
    const note = noteAfter(notes, text, (whole) => redactor.redact(whole));
    if (note === undefined) return;
    notes.push({ level, text: note });
    onEvent({ type: 'step.log', id, level, text: note });
  }

  /** A warning of the engine itself. No limit drops it. */
  warn(id: string, warning: string): void {
    const { redactor, onEvent } = this.#resources;
    const text = redactor.redact(warning);
    this.#state.result(id).notes.push({ level: 'warn', text });
    onEvent({ type: 'step.log', id, level: 'warn', text });
  }

  /** Closes the journal's account of the run, unless something is left to undo. */
  async finish(direction: Direction, status: 'succeeded' | 'failed' | 'cancelled', error: unknown): Promise<void> {
    const { journal, onEvent } = this.#resources;
    const { isUndone } = this.#state;
    const isUndoPartial = journal.history().status === 'undoing' && !isUndone;
    if (isUndoPartial || (direction === 'undo' && status !== 'succeeded')) return;
    const last = { status: isUndone ? 'undone' : status, ...recordedError(error) } as const;
    await journal.finished(last).catch((unwritten: Error) => {
      const id = this.#state.results().at(-1)?.id ?? '';
      onEvent({ type: 'step.log', id, level: 'warn', text: `not journaled: ${unwritten.message}` });
    });
  }

  #now(): number {
    return this.#resources.host.now().getTime();
  }
}

const recordedError = (error: unknown) => defined({ error: error === undefined ? undefined : errorRecord(error) });

/** These records need not be durable. If one cannot be written, the next change fails with that error. */
function inBackground(written: Promise<void>): void {
  written.catch(() => undefined);
}
