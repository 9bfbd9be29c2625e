/** The feature gates of a plan: their values, and remarks on them. */

import { type Gate, parseGates } from '../sdk/gates.ts';
import type { Registry } from './registry.ts';

/** The input of a pipeline that sets feature gates: `--feature-gates`. */
export const GATES_INPUT = 'featureGates';

export interface PlannedGates {
  /** The value of every gate. */
  gates: Readonly<Record<string, boolean>>;
  notes: string[];
  problems: string[];
}

/** `setting` is the value of the input `featureGates`. */
export function planGates(registry: Registry, setting: unknown): PlannedGates {
  const known = registry.gates();
  const { values, problems } = parseGates(typeof setting === 'string' ? setting : '', known);
  return {
    gates: Object.fromEntries(known.map((gate) => [gate.name, values.get(gate.name) ?? gate.default])),
    notes: known
      .filter((gate) => values.has(gate.name) && !registry.isUsed(gate))
      .map((gate) => `the feature gate ${gate.name} (${releases(gate)}) has no effect on a join: ${gate.what}`),
    problems,
  };
}

function releases({ since, until }: Gate): string {
  if (until === undefined) return `kubeadm ${since} and later`;
  return until === since ? `kubeadm ${since}` : `kubeadm ${since} to ${until}`;
}
