/** Time that passes only when a test advances it, from one timer to the next. */
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

  /** Advances by `ms`. Each timer fires at its own time, and its effects happen before the next one. */
  async pass(ms: number): Promise<void> {
    const end = this.now() + ms;
    for (let next = await this.#nextDue(); next !== undefined && next <= end; next = await this.#nextDue())
      this.set(next);
    this.set(end);
    await setImmediate();
  }

  /** Advances until no timer is left. Returns the time of the last one. */
  async passAll(): Promise<number> {
    for (let next = await this.#nextDue(); next !== undefined; next = await this.#nextDue()) this.set(next);
    return this.now();
  }

  /** The number of timers that have not fired yet. */
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
    await setImmediate(); // lets promises settle
    return this.#due.size === 0 ? undefined : Math.min(...this.#due.values());
  }
}
