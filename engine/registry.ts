/** Phases by name, registered independently of each other. */

import { fail, nearest } from './sdk/index.ts';
import type { AnyPhase } from './sdk/phase.ts';

export class Registry {
  readonly #phases = new Map<string, AnyPhase>();

  /** Throws where the name is taken: that is a mistake in the composition, not in a pipeline. */
  add(phase: AnyPhase): void {
    if (this.#phases.has(phase.name)) throw new Error(`two phases are named ${phase.name}`);
    this.#phases.set(phase.name, phase);
  }

  find(name: string): AnyPhase | undefined {
    return this.#phases.get(name);
  }

  /** E_PHASE_UNKNOWN, with the nearest name, where there is none. */
  get(name: string): AnyPhase {
    const phase = this.#phases.get(name);
    if (phase === undefined) throw fail('E_PHASE_UNKNOWN', { phase: name, nearest: nearest(name, this.names()) });
    return phase;
  }

  names(): string[] {
    return [...this.#phases.keys()];
  }

  all(): AnyPhase[] {
    return [...this.#phases.values()];
  }
}
