/** Phases by name, registered independently of each other, and the feature gates that they hook on. */
import { isDeepStrictEqual } from 'node:util';
import { fail, type Gate, nearest } from '../sdk/index.ts';
import type { AnyPhase } from '../sdk/phase.ts';

const JOINERY = 'Joinery itself';
const whose = ({ origin }: AnyPhase): string =>
  origin === undefined ? JOINERY : `plugin ${origin.plugin} (${origin.folder})`;
const twice = (what: string, first: string, second: string) => fail('E_PLUGIN_TWICE', { what, first, second });

export class Registry {
  readonly #phases = new Map<string, AnyPhase>();
  readonly #gates = new Map<string, Gate>();
  readonly #hooked = new Set<string>();
  readonly #groups = new Map<string, readonly string[]>();

  /** E_PLUGIN_TWICE where its name, or that of a gate that is another one, is taken. */
  add(phase: AnyPhase): void {
    const there = this.#phases.get(phase.name);
    if (there !== undefined) throw twice(`phase ${phase.name}`, whose(there), whose(phase));
    this.#phases.set(phase.name, phase);
    for (const gate of phase.gates ?? []) {
      this.addGate(gate, whose(phase));
      this.#hooked.add(gate.name);
    }
  }

  /** Several phases may hook on one gate; where none does, it may be given, and changes nothing. */
  addGate(gate: Gate, owner = JOINERY): void {
    const there = this.#gates.get(gate.name);
    if (there !== undefined && !isDeepStrictEqual(there, gate))
      throw twice(`feature gate ${gate.name}`, this.#ownerOf(gate.name), owner);
    this.#gates.set(gate.name, gate);
  }

  /** A name under which `--skip-phases` knows these steps, perhaps none. */
  addGroup(name: string, steps: readonly string[]): void {
    this.#groups.set(name, steps);
  }

  standsFor(name: string): readonly string[] | undefined {
    return this.#groups.get(name);
  }

  #ownerOf(gate: string): string {
    const phase = this.all().find(({ gates = [] }) => gates.some(({ name }) => name === gate));
    return phase === undefined ? JOINERY : whose(phase);
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
