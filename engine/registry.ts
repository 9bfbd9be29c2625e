/** Phases by name, registered independently of each other, and the feature gates that they hook on. */
import { isDeepStrictEqual } from 'node:util';
import { fail, type Gate, nearest } from './sdk/index.ts';
import type { AnyPhase } from './sdk/phase.ts';

export class Registry {
  readonly #phases = new Map<string, AnyPhase>();
  readonly #gates = new Map<string, Gate>();
  readonly #hooked = new Set<string>();
  readonly #groups = new Map<string, readonly string[]>();

  /** Throws where the name is taken: that is a mistake in the composition, not in a pipeline. */
  add(phase: AnyPhase): void {
    if (this.#phases.has(phase.name)) throw new Error(`two phases are named ${phase.name}`);
    this.#phases.set(phase.name, phase);
    for (const gate of phase.gates ?? []) {
      this.addGate(gate);
      this.#hooked.add(gate.name);
    }
  }

  /** Several phases may hook on one gate; where none does, it may be given, and changes nothing. Throws where two of a name differ. */
  addGate(gate: Gate): void {
    const there = this.#gates.get(gate.name);
    if (there !== undefined && !isDeepStrictEqual(there, gate)) throw new Error(`two gates are named ${gate.name}`);
    this.#gates.set(gate.name, gate);
  }

  /** A name under which `--skip-phases` knows these steps, perhaps none. */
  addGroup(name: string, steps: readonly string[]): void {
    this.#groups.set(name, steps);
  }

  standsFor(name: string): readonly string[] | undefined {
    return this.#groups.get(name);
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

  /** Sorted by name. */
  gates(): Gate[] {
    return [...this.#gates.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** A phase hooks on it. */
  isHooked({ name }: Gate): boolean {
    return this.#hooked.has(name);
  }
}
