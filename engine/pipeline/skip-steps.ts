/** Removes the steps that `--skip-phases` names. Steps that needed a skipped step inherit its needs. */

import { referencesIn } from '../expressions/template.ts';
import { didYouMean } from '../sdk/text.ts';
import { orderOf } from './graph.ts';
import type { PlannedStep } from './planned-step.ts';
import type { Registry } from './registry.ts';

/** The input of a pipeline that names the steps: `--skip-phases`. */
export const SKIP_INPUT = 'skipPhases';

/** `setting` is the value of the input `skipPhases`: ids of steps, names of phases, or groups of the registry. */
export function skipSteps(
  steps: readonly PlannedStep[],
  setting: unknown,
  registry: Registry,
): { steps: PlannedStep[]; problems: string[] } {
  const names = (Array.isArray(setting) ? setting : []).map(String).filter((name) => name !== '');
  if (names.length === 0) return { steps: [...steps], problems: [] };
  const problems: string[] = [];
  const skipped = new Set<string>();
  for (const name of names) {
    const group = registry.group(name);
    const found = steps.filter(({ id, phase }) => id === name || phase.name === name || group?.includes(id));
    for (const { id } of found) skipped.add(id);
    if (found.length > 0 || group !== undefined) continue;
    const ids = steps.map(({ id }) => id);
    problems.push(`there is no phase ${name}${didYouMean(name, ids) || `; the steps are ${ids.join(', ')}`}`);
  }
  const kept = steps.filter(({ id }) => !skipped.has(id));
  if (kept.length === 0) problems.push('no step is left to run');
  for (const { id, reads, with: template } of kept)
    for (const other of reads.filter((read) => skipped.has(read))) {
      const outputs = referencesIn(template).flatMap(({ reference }) =>
        reference.kind === 'output' && reference.step === other ? [reference.name] : [],
      );
      problems.push(
        `step ${id} reads ${[...new Set(outputs)].join(', ')} of ${other}, which is skipped: skip both or neither`,
      );
    }
  const needs = inheritedNeeds(steps, skipped);
  return { steps: kept.map((step) => ({ ...step, needs: needs.get(step.id) ?? [] })), problems };
}

function inheritedNeeds(steps: readonly PlannedStep[], skipped: ReadonlySet<string>): Map<string, string[]> {
  const needs = new Map(steps.map((step) => [step.id, step.needs]));
  const inherited = new Map<string, string[]>();
  for (const id of orderOf(needs)) {
    const before = (needs.get(id) ?? []).flatMap((other) =>
      skipped.has(other) ? (inherited.get(other) ?? []) : other,
    );
    inherited.set(id, [...new Set(before)]);
  }
  return inherited;
}
