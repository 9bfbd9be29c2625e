/** Records what happens in a run: in its journal, and as events, from which its results follow. */
import { changeCounts } from '../journal/history.ts';
import { startTimer } from '../limits/timers.ts';
import { fail, isJoinError } from '../sdk/errors.ts';
import { defined } from '../sdk/fields.ts';
import type { Question } from './approval.ts';
import { errorRecord, eventError, noteAfter } from './error-record.ts';
import { addToResult, type EventBody, type RunEvent } from './events.ts';
import type { RunResources, RunState } from './run-state.ts';
import type { Direction, MachineEvent, StepEnd } from './step-actor.ts';

/** How often an event repeats that a step waits. */
const HEARTBEAT_MS = 30_000;

export interface RecordedWait {
  step: string;
  what: string;
  until: Date;
  about?: Readonly<Record<string, string>> | undefined;
  /** Stops the attempt, and the reports of its wait with it. */
  signal: AbortSignal;
}

export interface RunEnd {
  status: 'succeeded' | 'failed' | 'cancelled';
  durationMs: number;
  outputs?: unknown;
  error?: unknown;
}

export class RunRecorder {
  readonly #resources: RunResources;
  readonly #state: RunState;
  readonly #startedAt = new Map<string, number>();

  constructor(resources: RunResources, state: RunState) {
    this.#resources = resources;
    this.#state = state;
  }

  emit(body: EventBody): RunEvent {
    const { stream } = this.#resources;
    const event = stream.emit(body);
    const result = 'step' in event ? this.#state.findResult(event.step) : undefined;
    if (result !== undefined) addToResult(result, event);
    return event;
  }

  /** When the first attempt of the step, or of its undo, started. */
  startedAt(step: string): number {
    return this.#startedAt.get(step) ?? this.#now();
  }

  record(happened: MachineEvent): RunEvent {
    const { id: step } = happened;
    switch (happened.type) {
      case 'step.started': {
        const { attempt, direction } = happened;
        if (attempt === 1) this.#startedAt.set(step, this.#now());
        return this.emit({ type: 'step.started', step, attempt, direction });
      }
      case 'step.retrying': {
        const { attempt, pauseMs, error } = happened;
        return this.emit({ type: 'step.retrying', step, attempt, pauseMs, error: eventError(error) });
      }
      case 'step.ended':
        return this.#ended(happened);
    }
  }

  #ended({ id: step, status, attempts, error }: StepEnd): RunEvent {
    const { journal } = this.#resources;
    const isUndo = status === 'undone' || status === 'undo-failed';
    const durationMs = this.#startedAt.has(step) ? this.#now() - this.startedAt(step) : 0;
    const { outputs } = this.#state.result(step);
    const event = this.emit({
      type: 'step.ended',
      step,
      direction: isUndo ? 'undo' : 'run',
      status,
      attempts,
      durationMs,
      ...(isUndo ? {} : defined({ outputs })),
      ...defined({ error: error === undefined ? undefined : eventError(error) }),
    });
    if (isUndo) this.#recordUndo(step, status, error);
    else this.#recordEnd({ id: step, status, attempts, error }, durationMs, journal);
    return event;
  }

  #recordUndo(step: string, status: string, error: unknown): void {
    if (status === 'undo-failed') this.#noteUndoFailure(step, error);
    else inBackground(this.#resources.journal.undone({ step }));
  }

  /** An undo that was stopped has not failed. */
  #noteUndoFailure(step: string, error: unknown): void {
    if (!(error instanceof Error) || (isJoinError(error) && error.code === 'E_CANCELLED')) return;
    const { undoFailures } = this.#state;
    undoFailures.set(step, error.message);
    const steps = [...undoFailures].map(([id, why]) => ({ id, why }));
    this.#state.undoError = fail('E_UNDO_FAILED', { run: this.#resources.journal.id, steps }, error);
  }

  #recordEnd({ id, status, attempts, error }: StepEnd, durationMs: number, journal: RunResources['journal']): void {
    const result = this.#state.result(id);
    this.#state.setStatus(id, status);
    if (error !== undefined) result.error = error;
    if (status === 'failed') this.#state.failures.set(id, error);
    const { phase, outputs } = result;
    if (status === 'skipped') inBackground(journal.skipped(id, phase));
    else inBackground(journal.done(id, { status, attempts, durationMs, outputs, ...recordedError(error) }));
  }

  /** Some changes of the step remain, although its phase has undone what it did outside the machine. */
  undoFailed(step: string): void {
    const fields = { direction: 'undo', status: 'undo-failed', attempts: 1, durationMs: 0 } as const;
    if (this.#state.findResult(step) !== undefined) this.emit({ type: 'step.ended', step, ...fields });
  }

  /** A note of a phase, without secrets. Beyond a limit, notes are dropped. */
  log(step: string, level: 'info' | 'warn', text: string): void {
    const { redactor } = this.#resources;
    const note = noteAfter(this.#state.result(step).notes, text, (whole) => redactor.redact(whole));
    if (note !== undefined) this.emit({ type: 'step.log', step, level, text: note });
  }

  /** A warning of the engine itself. No limit drops it. */
  warn(step: string, text: string): void {
    this.emit({ type: 'step.log', step, level: 'warn', text });
  }

  /** Reports the wait now, every 30 s, and at its end, which is when the returned function is called. */
  wait(wait: RecordedWait): () => void {
    const { step, what, until, about } = wait;
    const end = this.#heartbeats(wait);
    this.emit({ type: 'step.wait', step, what, waitedMs: 0, until: until.toISOString(), ...defined({ about }) });
    return () => void this.emit({ type: 'step.waited', step, what, waitedMs: end() });
  }

  /** Reports the question, and every 30 s that it has no answer. Call the returned function at the end. */
  question({ step, message, until, path }: Question, signal: AbortSignal): () => void {
    this.emit({ type: 'step.asked', step, message, until: until.toISOString(), path });
    return this.#heartbeats({ step, what: 'an answer', until, signal });
  }

  #heartbeats({ step, what, until, about, signal }: RecordedWait): () => number {
    const since = performance.now();
    const waitedMs = () => Math.round(performance.now() - since);
    const beat = () => {
      const event = { type: 'step.wait', step, what, waitedMs: waitedMs(), until: until.toISOString() } as const;
      this.emit({ ...event, ...defined({ about }) });
      timer = startTimer(HEARTBEAT_MS, beat);
    };
    let timer = startTimer(HEARTBEAT_MS, beat);
    const stop = () => timer.cancel(); // even if the stopped attempt does not end
    signal.addEventListener('abort', stop, { once: true });
    return () => {
      signal.removeEventListener('abort', stop);
      stop();
      return waitedMs();
    };
  }

  /** The run was cancelled. `next` is what follows for the changes that are not undone. */
  stopping(reason: unknown, next: 'undo' | 'keep'): void {
    const changes = changeCounts(this.#resources.journal.history());
    this.emit({ type: 'run.stopping', reason: errorRecord(reason).message, next, changes });
  }

  /** The last event of this process. The journal also counts the changes of earlier ones. */
  endOf({ status, durationMs, outputs, error }: RunEnd): EventBody {
    return {
      type: 'run.ended',
      status,
      durationMs,
      changes: changeCounts(this.#resources.journal.history()),
      ...defined({ outputs, error: error === undefined ? undefined : eventError(error) }),
    };
  }

  /** Closes the journal's account of the run, unless something is left to undo. */
  async finish(direction: Direction, status: 'succeeded' | 'failed' | 'cancelled', error: unknown): Promise<void> {
    const { journal } = this.#resources;
    const { isUndone } = this.#state;
    const isUndoPartial = journal.history().status === 'undoing' && !isUndone;
    if (isUndoPartial || (direction === 'undo' && status !== 'succeeded')) return;
    const last = { status: isUndone ? 'undone' : status, ...recordedError(error) } as const;
    await journal.finished(last).catch((unwritten: Error) => {
      this.warn(this.#state.results().at(-1)?.id ?? '', `not journaled: ${unwritten.message}`);
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
