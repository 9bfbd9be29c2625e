/** Passes the events of a run to the phases that listen: in order, in the background, and without delaying the run. */

import { signalAfter } from '../limits/timers.ts';
import { defined } from '../sdk/fields.ts';
import type { AnyPhase, PhaseEvent } from '../sdk/phase.ts';
import { clean } from '../sdk/text.ts';
import type { MachineEvent } from './step-machine.ts';

const LIMIT_MS = 5_000;

type RunFacts = Pick<PhaseEvent, 'at' | 'run' | 'pipeline' | 'machine'>;

export interface ListenersOptions {
  /** The fields that all events share. */
  facts: () => RunFacts;
  errorOf: (error: unknown) => NonNullable<PhaseEvent['error']>;
  redact: (event: PhaseEvent) => PhaseEvent;
  deliver: (id: string, event: PhaseEvent, signal: AbortSignal) => Promise<void>;
  warn: (id: string, text: string) => void;
  /** Time for one delivery (default 5 s). */
  limitMs?: number;
}

interface Happening {
  type: PhaseEvent['type'];
  id?: string;
  status?: string;
  error?: unknown;
}

export class Listeners {
  readonly #options: ListenersOptions;
  /** For each listening step, the delivery after which the next one starts. */
  readonly #deliveries = new Map<string, Promise<void>>();
  /** After a failed delivery, a step only receives the end of the run. */
  readonly #failed = new Set<string>();

  constructor(options: ListenersOptions) {
    this.#options = options;
  }

  /** From here on the step receives events, if its phase listens. */
  add(id: string, phase: Pick<AnyPhase, 'onEvent'>): void {
    if (phase.onEvent !== undefined && !this.#deliveries.has(id)) this.#deliveries.set(id, Promise.resolve());
  }

  /** Skipped steps are not reported. */
  notify(event: MachineEvent): void {
    if (event.type !== 'step.ended' || event.status !== 'skipped') this.#send(event);
  }

  /** Resolves when every event is delivered or has failed. */
  async finish(status: string, error: unknown): Promise<void> {
    this.#send({ type: 'run.ended', status, error });
    await Promise.all(this.#deliveries.values());
  }

  #send({ type, id: step, status, error }: Happening): void {
    if (this.#deliveries.size === 0) return;
    const { facts, redact } = this.#options;
    const event = redact({ ...facts(), type, ...defined({ step, status, error: this.#errorOf(error) }) });
    for (const [listener, previous] of this.#deliveries)
      this.#deliveries.set(
        listener,
        previous.then(() => this.#deliver(listener, event)),
      );
  }

  #errorOf(error: unknown): PhaseEvent['error'] {
    if (error === undefined) return undefined;
    const { code, message } = this.#options.errorOf(error);
    return { code, message };
  }

  async #deliver(id: string, event: PhaseEvent): Promise<void> {
    if (this.#failed.has(id) && event.type !== 'run.ended') return;
    const { deliver, warn, limitMs = LIMIT_MS } = this.#options;
    const signal = signalAfter(limitMs);
    const timeout = new Promise<never>((_, reject) => {
      const stop = () => reject(new Error(`timed out after ${limitMs / 1000} s`));
      signal.addEventListener('abort', stop, { once: true });
    });
    try {
      await Promise.race([deliver(id, event, signal), timeout]);
    } catch (error) {
      if (!this.#failed.has(id)) warn(id, `event not delivered: ${clean((error as Error).message)}`);
      this.#failed.add(id);
    }
  }
}
