/**
 * How many machines may join at once: more while the API server is quick, half as many when it is overloaded. Like
 * TCP, it doubles until the first overload, and then grows by one for each round of joins.
 */

/** Longer answers stop the growth. */
const SLOW_MS = 1_000;
const INITIAL = 4;

/** What one request or join says of the API server. */
export interface Observation {
  /** When it began, in milliseconds of the clock. */
  startedMs: number;
  endedMs: number;
  /** Why the API server seems overloaded, such as "HTTP 429". */
  overload?: string;
}

export interface Permit {
  /** Ends the join. Further calls have no effect. */
  release(): void;
}

export class Concurrency {
  readonly maximum: number;
  #limit: number;
  #joining = 0;
  #reason: string | undefined;
  /** Before the first overload, each join raises the limit. */
  #isStarting = true;
  #loweredMs = Number.NEGATIVE_INFINITY;
  readonly #waiting = new Set<() => void>();

  constructor(maximum: number) {
    this.maximum = maximum;
    this.#limit = Math.min(INITIAL, maximum);
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  get joining(): number {
    return this.#joining;
  }

  /** Why the limit is below the maximum, if the API server is the reason. */
  get reason(): string | undefined {
    return this.limit < this.maximum ? this.#reason : undefined;
  }

  /** Resolves when another machine may join, or when the signal is aborted, with a permit that counts for nothing. */
  async acquire(signal: AbortSignal): Promise<Permit> {
    while (this.#joining >= this.limit && !signal.aborted) await this.#turn(signal);
    if (signal.aborted) {
      this.#wake(); // its turn goes to another one
      return { release: () => undefined };
    }
    this.#joining++;
    let isHeld = true;
    const release = () => {
      if (!isHeld) return;
      isHeld = false;
      this.#joining--;
      this.#wake();
    };
    signal.addEventListener('abort', release, { once: true });
    return { release };
  }

  /** Resolves when the next one may join, or when the signal is aborted. */
  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const leave = () => {
        this.#waiting.delete(wake);
        resolve();
      };
      const wake = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  observe({ startedMs, endedMs, overload }: Observation): void {
    if (overload !== undefined) {
      this.#lower(startedMs, endedMs, `API server: ${overload} at ${new Date(endedMs).toISOString().slice(11, 19)}Z`);
      return;
    }
    const ms = endedMs - startedMs;
    if (ms > SLOW_MS) {
      this.#reason = `API server: an answer took ${(ms / 1000).toFixed(1)} s`;
      this.#isStarting = false;
      return;
    }
    this.#limit = Math.min(this.maximum, this.#limit + (this.#isStarting ? 1 : 1 / this.#limit));
    this.#wake();
  }

  /** What began before the limit was lowered says nothing of the lower limit. */
  #lower(startedMs: number, endedMs: number, reason: string): void {
    this.#isStarting = false;
    this.#reason = reason;
    if (startedMs < this.#loweredMs) return;
    this.#loweredMs = endedMs;
    this.#limit = Math.max(1, this.#limit / 2);
  }

  #wake(): void {
    for (const wake of [...this.#waiting].slice(0, Math.max(0, this.limit - this.#joining))) {
      this.#waiting.delete(wake);
      wake();
    }
  }
}
