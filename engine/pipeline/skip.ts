/** Steps that a run leaves out, as `--skip-phases` asks: those that need one come after what that one needed. */

import { references } from '../expressions/template.ts';
import { didYouMean } from '../sdk/text.ts';
import type { PlannedStep } from './check.ts';
import { orderOf } from './graph.ts';
import type { Registry } from './registry.ts';

/** The input of a pipeline that holds the names. */
export const SKIP_INPUT = 'skipPhases';

/** `given` is the value of that input: ids of steps, names of phases, or names that the registry has for several steps. */
export function withoutSkipped(
  steps: readonly PlannedStep[],
  given: unknown,
  registry: Registry,
): { steps: PlannedStep[]; problems: string[] } {
  const names = (Array.isArray(given) ? given : []).map(String).filter((name) => name !== '');
  if (names.length === 0) return { steps: [...steps], problems: [] };
  const problems: string[] = [];
  const skipped = new Set<string>();
  for (const name of names) {
    const others = registry.standsFor(name);
    const found = steps.filter(({ id, phase }) => id === name || phase.name === name || others?.includes(id));
    for (const { id } of found) skipped.add(id);
    if (found.length > 0 || others !== undefined) continue;
    const ids = steps.map(({ id }) => id);
    problems.push(`there is no phase ${name}${didYouMean(name, ids) || `; there are ${ids.join(', ')}`}`);
  }
  const kept = steps.filter(({ id }) => !skipped.has(id));
  if (kept.length === 0) problems.push('no phase is left to run');
  for (const { id, reads, with: template } of kept)
    for (const other of reads.filter((read) => skipped.has(read))) {
      const outputs = references(template).flatMap(({ reference }) =>
        reference.kind === 'output' && reference.step === other ? [reference.name] : [],
      );
      problems.push(
        `${id} reads ${[...new Set(outputs)].join(', ')} of ${other}, which is skipped: skip ${id} too, or neither`,
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
