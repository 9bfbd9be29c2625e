/** Steps that are told what happens in their run: in order, by themselves, and never in its way. */
import type { RunTold } from './sdk/phase.ts';

const LIMIT_MS = 5_000;

export class Listeners {
  readonly #tell: (id: string, told: RunTold, signal: AbortSignal) => Promise<void>;
  readonly #failed: (id: string, error: unknown) => void;
  readonly #last = new Map<string, Promise<void>>();
  readonly #givenUp = new Set<string>();
  readonly #limitMs: number;

  /** `tell` is given up after 5 s; a step for which it failed is told of nothing more but the end. */
  constructor(
    tell: (id: string, told: RunTold, signal: AbortSignal) => Promise<void>,
    failed: (id: string, error: unknown) => void,
    limitMs: number = LIMIT_MS,
  ) {
    this.#tell = tell;
    this.#failed = failed;
    this.#limitMs = limitMs;
  }

  get isEmpty(): boolean {
    return this.#last.size === 0;
  }

  add(id: string): void {
    if (!this.#last.has(id)) this.#last.set(id, Promise.resolve());
  }

  tell(told: RunTold): void {
    for (const [id, last] of this.#last)
      this.#last.set(
        id,
        last.then(() => this.#one(id, told)),
      );
  }

  /** Once all is told, or given up. */
  async done(): Promise<void> {
    await Promise.all(this.#last.values());
  }

  async #one(id: string, told: RunTold): Promise<void> {
    if (this.#givenUp.has(id) && told.type !== 'run.ended') return;
    const signal = AbortSignal.timeout(this.#limitMs);
    const late = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error(`not done after ${this.#limitMs / 1000} s`)), {
        once: true,
      });
    });
    try {
      await Promise.race([this.#tell(id, told, signal), late]);
    } catch (error) {
      if (!this.#givenUp.has(id)) this.#failed(id, error);
      this.#givenUp.add(id);
    }
  }
}
