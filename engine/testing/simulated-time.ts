/** Time that passes only when a test says so: xstate's simulated clock, stepped from one timer to the next. */
import { setImmediate } from 'node:timers/promises';
import { SimulatedClock } from 'xstate';

export class SimulatedTime extends SimulatedClock {
  readonly #due = new Map<number, number>();

  override setTimeout(fn: (...args: unknown[]) => void, timeoutMs: number): number {
    const id = super.setTimeout(() => {
      this.#due.delete(id);
      fn();
    }, timeoutMs);
    this.#due.set(id, this.now() + timeoutMs);
    return id;
  }

  override clearTimeout(id: number): void {
    this.#due.delete(id);
    super.clearTimeout(id);
  }

  /** Lets `ms` pass: every timer fires at its own moment, and what it sets off happens before the next one. */
  async pass(ms: number): Promise<void> {
    const end = this.now() + ms;
    for (let next = await this.#nextDue(); next !== undefined && next <= end; next = await this.#nextDue())
      this.set(next);
    this.set(end);
    await setImmediate();
  }

  /** Lets time pass until no timer is left. Returns the moment of the last one. */
  async passAll(): Promise<number> {
    for (let next = await this.#nextDue(); next !== undefined; next = await this.#nextDue()) this.set(next);
    return this.now();
  }

  /** Timers that are still to fire. */
  get pending(): number {
    return this.#due.size;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const id = this.setTimeout(() => resolve(), ms);
      signal?.addEventListener('abort', () => {
        this.clearTimeout(id);
        reject(signal.reason);
      });
    });
  }

  async #nextDue(): Promise<number | undefined> {
    await setImmediate(); // promises settle first
    return this.#due.size === 0 ? undefined : Math.min(...this.#due.values());
  }
}
