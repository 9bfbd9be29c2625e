/** Phases by name, and the feature gates that they read. */
import { isDeepStrictEqual } from 'node:util';
import { fail, type Gate, nearest } from '../sdk/index.ts';
import type { AnyPhase } from '../sdk/phase.ts';

const JOINERY = 'Joinery itself';
const ownerOf = ({ origin }: AnyPhase): string =>
  origin === undefined ? JOINERY : `plugin ${origin.plugin} (${origin.folder})`;
const duplicate = (what: string, first: string, second: string) => fail('E_PLUGIN_TWICE', { what, first, second });

export class Registry {
  readonly #phases = new Map<string, AnyPhase>();
  readonly #gates = new Map<string, Gate>();
  readonly #usedGates = new Set<string>();
  readonly #groups = new Map<string, readonly string[]>();

  /** Throws E_PLUGIN_TWICE if the name is taken, or a gate of the same name is different. */
  add(phase: AnyPhase): void {
    const existing = this.#phases.get(phase.name);
    if (existing !== undefined) throw duplicate(`phase ${phase.name}`, ownerOf(existing), ownerOf(phase));
    this.#phases.set(phase.name, phase);
    for (const gate of phase.gates ?? []) {
      this.addGate(gate, ownerOf(phase));
      this.#usedGates.add(gate.name);
    }
  }

  /** Several phases may read one gate. A gate that no phase reads is accepted, and has no effect. */
  addGate(gate: Gate, owner = JOINERY): void {
    const existing = this.#gates.get(gate.name);
    if (existing !== undefined && !isDeepStrictEqual(existing, gate))
      throw duplicate(`feature gate ${gate.name}`, this.#gateOwner(gate.name), owner);
    this.#gates.set(gate.name, gate);
  }

  /** Adds a name that stands for these steps in `--skip-phases`. The list may be empty. */
  addGroup(name: string, steps: readonly string[]): void {
    this.#groups.set(name, steps);
  }

  group(name: string): readonly string[] | undefined {
    return this.#groups.get(name);
  }

  #gateOwner(gate: string): string {
    const phase = this.all().find(({ gates = [] }) => gates.some(({ name }) => name === gate));
    return phase === undefined ? JOINERY : ownerOf(phase);
  }

  find(name: string): AnyPhase | undefined {
    return this.#phases.get(name);
  }

  /** Throws E_PHASE_UNKNOWN with the nearest name if there is no such phase. */
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

  /** Whether a phase reads the gate. */
  isUsed({ name }: Gate): boolean {
    return this.#usedGates.has(name);
  }
}
