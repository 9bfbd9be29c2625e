/** The stream of a run's events, and the result of each step, which is derived from them. */
import { type StepChange, subjectOf } from '../host/changes/index.ts';
import type { EventBody as AnyEventBody, RunEvent as AnyRunEvent } from '../sdk/events.ts';
import type { StepStatus } from '../sdk/step-status.ts';

export type EventBody = AnyEventBody<StepChange>;
export type RunEvent = AnyRunEvent<StepChange>;

export interface StepResult {
  id: string;
  phase: string;
  status: StepStatus;
  attempts: number;
  durationMs: number;
  notes: { level: 'info' | 'warn'; text: string }[];
  changes: StepChange[];
  /** As in the schema of the phase. Secrets are `Secret`s. */
  outputs?: unknown;
  error?: unknown;
}

export interface EventStreamOptions {
  run: string;
  machine: string;
  pipeline: string;
  now: () => Date;
  /** The number of the last event of this run so far. */
  lastSeq: number;
  redact: (body: EventBody) => EventBody;
  onEvent: (event: RunEvent) => void;
}

export class EventStream {
  readonly #options: EventStreamOptions;
  #seq: number;
  /** Steps of a dry run whose current attempt has used a stand-in. */
  readonly #assumed = new Set<string>();

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.#seq = options.lastSeq;
  }

  /** The events of the step rest on a stand-in from here on. */
  assume(step: string): void {
    this.#assumed.add(step);
  }

  emit(body: EventBody): RunEvent {
    if (body.type === 'step.started') this.#assumed.delete(body.step);
    const event = this.next(body);
    this.#seq++;
    this.#options.onEvent(event);
    return event;
  }

  /** The event that `emit` would send now. */
  next(body: EventBody): RunEvent {
    const { run, machine, pipeline, now, redact } = this.#options;
    const isAssumed = 'step' in body && this.#assumed.has(body.step);
    return {
      apiVersion: 'joinery.dev/v1',
      kind: 'Event',
      seq: this.#seq + 1,
      at: now().toISOString(),
      run,
      machine,
      pipeline,
      ...redact(body),
      ...(isAssumed ? { assumed: true } : {}),
    };
  }
}

/** Adds an event to the result of its step. */
export function addToResult(result: StepResult, event: RunEvent): void {
  switch (event.type) {
    case 'step.started':
      if (event.direction === 'run') result.notes = []; // those of the previous attempt
      break;
    case 'step.log':
      result.notes.push({ level: event.level, text: event.text });
      break;
    case 'step.change':
      result.changes.push(event.change);
      break;
    case 'step.restored': {
      if (event.outcome === 'restored') break;
      const what = event.outcome === 'stays' ? 'stays' : 'is not restored';
      result.notes.push({ level: 'warn', text: `${subjectOf(event.change)} ${what}: ${event.why}` });
      break;
    }
    case 'step.ended': {
      const { direction, status, attempts, durationMs, error } = event;
      // The result keeps how the step ran, except for its status and its duration, which are those of the undo.
      Object.assign(result, direction === 'undo' ? { status, durationMs } : { status, attempts, durationMs });
      if (direction === 'undo' && error !== undefined)
        result.notes.push({ level: 'warn', text: `not undone: ${error.message}` });
      break;
    }
  }
}
