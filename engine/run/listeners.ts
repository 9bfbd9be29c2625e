/** Steps that are told what happens in their run: in order, by themselves, and never in its way. */
import type { AnyPhase, PhaseEvent } from '../sdk/phase.ts';
import { clean } from '../sdk/text.ts';

const LIMIT_MS = 5_000;

export interface ListenersOptions {
  /** What all events have. */
  event: () => Pick<PhaseEvent, 'at' | 'run' | 'pipeline' | 'machine'>;
  errorOf: (error: unknown) => NonNullable<PhaseEvent['error']>;
  redacted: (told: PhaseEvent) => PhaseEvent;
  tell: (id: string, told: PhaseEvent, signal: AbortSignal) => Promise<void>;
  warn: (id: string, text: string) => void;
  /** For `tell`; 5 s where it is left out. */
  limitMs?: number;
}

export class Listeners {
  readonly #options: ListenersOptions;
  readonly #last = new Map<string, Promise<void>>();
  /** Told of nothing more but the end. */
  readonly #givenUp = new Set<string>();

  constructor(options: ListenersOptions) {
    this.#options = options;
  }

  /** From here on the step is told, where its phase listens. */
  add(id: string, phase: Pick<AnyPhase, 'onEvent'> | undefined): void {
    if (phase?.onEvent !== undefined && !this.#last.has(id)) this.#last.set(id, Promise.resolve());
  }

  happened({ type, id, ...rest }: { type: PhaseEvent['type']; id?: string; status?: string; error?: unknown }): void {
    if (this.#last.size === 0) return;
    const { event, errorOf, redacted } = this.#options;
    const { message, code } = rest.error === undefined ? {} : errorOf(rest.error);
    const told = redacted({
      ...{ ...event(), type },
      ...(id === undefined ? {} : { step: id }),
      ...(rest.status === undefined ? {} : { status: rest.status }),
      ...(message === undefined || code === undefined ? {} : { error: { code, message } }),
    });
    for (const [listener, last] of this.#last)
      this.#last.set(
        listener,
        last.then(() => this.#one(listener, told)),
      );
  }

  /** Once all is told, or given up. */
  async ended(status: string, error: unknown): Promise<void> {
    this.happened({ type: 'run.ended', status, error });
    await Promise.all(this.#last.values());
  }

  async #one(id: string, told: PhaseEvent): Promise<void> {
    if (this.#givenUp.has(id) && told.type !== 'run.ended') return;
    const { tell, warn, limitMs = LIMIT_MS } = this.#options;
    const signal = AbortSignal.timeout(limitMs);
    const late = new Promise<never>((_, reject) => {
      const stop = () => reject(new Error(`not done after ${limitMs / 1000} s`));
      signal.addEventListener('abort', stop, { once: true });
    });
    try {
      await Promise.race([tell(id, told, signal), late]);
    } catch (error) {
      if (!this.#givenUp.has(id)) warn(id, `not told: ${clean((error as Error).message)}`);
      this.#givenUp.add(id);
    }
  }
}
