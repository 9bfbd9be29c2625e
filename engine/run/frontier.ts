/**
 * Decides which steps are done, active and ready. It is plain data outside the machines, and the only place that knows
 * what steps need.
 */

import { endsWell, type StepStatus } from '../sdk/step-status.ts';

export interface FrontierStep {
  id: string;
  needs: readonly string[];
}

export class Frontier {
  readonly #waitingFor = new Map<string, number>();
  readonly #dependents = new Map<string, string[]>();
  readonly #ready: string[] = [];
  #next = 0;
  readonly #active = new Set<string>();
  readonly #settled = new Map<string, StepStatus>();
  /** Steps that have ended and are not undone, in the order in which they ended. */
  readonly #order: string[] = [];

  /** `ended` are the steps that an earlier process ended, in order. */
  constructor(steps: readonly FrontierStep[], ended: ReadonlyMap<string, StepStatus> = new Map()) {
    for (const { id, needs } of steps) {
      this.#waitingFor.set(id, needs.length);
      for (const before of needs) {
        const list = this.#dependents.get(before);
        if (list === undefined) this.#dependents.set(before, [id]);
        else list.push(id);
      }
      if (needs.length === 0 && !ended.has(id)) this.#ready.push(id);
    }
    for (const [id, status] of ended) this.#end(id, status);
    if (ended.size > 0) this.#ready.splice(0, Infinity, ...this.#ready.filter((id) => !ended.has(id)));
  }

  /** Activates a step whose needs are met. Undefined if no step is ready now. */
  take(): string | undefined {
    const id = this.#ready[this.#next];
    if (id === undefined) return undefined;
    this.#next++;
    this.#active.add(id);
    return id;
  }

  /** Ends an active step. Unless it failed, the steps that need it may become ready. */
  settle(id: string, status: StepStatus): void {
    if (!this.#active.delete(id)) throw new Error(`step ${id} is not active`);
    this.#end(id, status);
  }

  #end(id: string, status: StepStatus): void {
    this.#settled.set(id, status);
    if (status === 'undone' || status === 'undo-failed') return;
    if (status !== 'skipped') this.#order.push(id); // a skipped step leaves nothing to undo
    if (!endsWell(status)) return;
    for (const next of this.#dependents.get(id) ?? []) {
      const left = (this.#waitingFor.get(next) ?? 0) - 1;
      this.#waitingFor.set(next, left);
      if (left === 0) this.#ready.push(next);
    }
  }

  /** Activates the step that ended last, to be undone. Undefined if none is left. */
  nextToUndo(): string | undefined {
    const id = this.#order.pop();
    if (id === undefined) return undefined;
    this.#settled.delete(id);
    this.#active.add(id);
    return id;
  }

  /** Skips every step that has not started. */
  skipRest(): void {
    for (const id of this.#waitingFor.keys())
      if (!this.#settled.has(id) && !this.#active.has(id)) this.#settled.set(id, 'skipped');
  }

  get active(): ReadonlySet<string> {
    return this.#active;
  }
  status(id: string): StepStatus | undefined {
    return this.#settled.get(id);
  }
  get allSettled(): boolean {
    return this.#settled.size === this.#waitingFor.size;
  }
  /** Every step ended well. After a cancellation this means that it came too late to stop any. */
  get allWell(): boolean {
    return this.allSettled && [...this.#settled.values()].every(endsWell);
  }
}
