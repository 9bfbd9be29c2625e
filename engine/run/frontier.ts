/** Which steps are done, running and ready: plain data, outside the machine, and the only place that knows `needs`. */

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
  /** What ended and is not undone, in that order. */
  readonly #order: string[] = [];

  /** `ended` are steps of an earlier process, in the order in which they ended. */
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

  /** A step whose needs are met, now active; undefined where there is none at the moment. */
  take(): string | undefined {
    const id = this.#ready[this.#next];
    if (id === undefined) return undefined;
    this.#next++;
    this.#active.add(id);
    return id;
  }

  /** Ends an active step. What needs it becomes ready where it did not fail. */
  settle(id: string, status: StepStatus): void {
    if (!this.#active.delete(id)) throw new Error(`step ${id} is not active`);
    this.#end(id, status);
  }

  #end(id: string, status: StepStatus): void {
    this.#settled.set(id, status);
    if (status === 'undone' || status === 'undo-failed') return;
    if (status !== 'skipped') this.#order.push(id); // it has left nothing to be undone
    if (!endsWell(status)) return;
    for (const next of this.#dependents.get(id) ?? []) {
      const left = (this.#waitingFor.get(next) ?? 0) - 1;
      this.#waitingFor.set(next, left);
      if (left === 0) this.#ready.push(next);
    }
  }

  /** The step that ended last and may have left something, now active again, to be undone; undefined where none is left. */
  nextToUndo(): string | undefined {
    const id = this.#order.pop();
    if (id === undefined) return undefined;
    this.#settled.delete(id);
    this.#active.add(id);
    return id;
  }

  /** Ends what never began. */
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
  /** Every step got there: a cancellation came too late to stop any. */
  get allWell(): boolean {
    return this.allSettled && [...this.#settled.values()].every(endsWell);
  }
}
