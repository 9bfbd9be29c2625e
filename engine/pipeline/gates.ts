/** The feature gates of a plan: what was given for them, what they are by default, and what there is to say of that. */

import { type Gate, parseGates } from '../sdk/gates.ts';
import type { Registry } from './registry.ts';

/** The input of a pipeline that holds them, as `--feature-gates` does. */
export const GATES_INPUT = 'featureGates';

export interface PlannedGates {
  /** Of every gate there is. */
  gates: Readonly<Record<string, boolean>>;
  notes: string[];
  problems: string[];
}

/** `given` is the value of that input. */
export function plannedGates(registry: Registry, given: unknown): PlannedGates {
  const known = registry.gates();
  const { values, problems } = parseGates(typeof given === 'string' ? given : '', known);
  return {
    gates: Object.fromEntries(known.map((gate) => [gate.name, values.get(gate.name) ?? gate.default])),
    notes: known
      .filter((gate) => values.has(gate.name) && !registry.isHooked(gate))
      .map((gate) => `the feature gate ${gate.name} (${releases(gate)}) changes nothing for a join: ${gate.what}`),
    problems,
  };
}

function releases({ since, until }: Gate): string {
  if (until === undefined) return `kubeadm ${since} and later`;
  return until === since ? `kubeadm ${since}` : `kubeadm ${since} to ${until}`;
}
