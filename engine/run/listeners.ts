/** Passes the events of a run to the phases that listen: in order, in the background, and without delaying the run. */

import { signalAfter } from '../limits/timers.ts';
import type { RunEvent } from '../sdk/events.ts';
import type { AnyPhase } from '../sdk/phase.ts';
import { clean } from '../sdk/text.ts';

const LIMIT_MS = 5_000;

/** Other events, such as each line that a phase logs, would be too many for a slow receiver. */
const DELIVERED = ['step.started', 'step.retrying', 'step.ended', 'run.ended'];

export interface ListenersOptions {
  deliver: (id: string, event: RunEvent, signal: AbortSignal) => Promise<void>;
  warn: (id: string, text: string) => void;
  /** Time for one delivery (default 5 s). */
  limitMs?: number;
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
  notify(event: RunEvent): void {
    if (!DELIVERED.includes(event.type) || (event.type === 'step.ended' && event.status === 'skipped')) return;
    for (const [listener, previous] of this.#deliveries)
      this.#deliveries.set(
        listener,
        previous.then(() => this.#deliver(listener, event)),
      );
  }

  /** Resolves when every event is delivered or has failed. */
  async finish(ended: RunEvent): Promise<void> {
    this.notify(ended);
    await Promise.all(this.#deliveries.values());
  }

  async #deliver(id: string, event: RunEvent): Promise<void> {
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
