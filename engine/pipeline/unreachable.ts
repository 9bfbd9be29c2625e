/** What a pipeline says and nobody wants: secrets that many can read, and steps or phases that no run ever gets to. */

import type { Path, Problems } from '../documents/problems.ts';
import { type Condition, conditionReads, holds } from '../expressions/conditions.ts';

/** Pipelines are files that many read, and `join pipeline show` shows them. */
export function refuseSecret(problems: Problems, name: string, at: Path): void {
  problems.hide(at);
  problems.at(at, `${name} is a secret, and whoever sees the pipeline sees it: make it an input`, 'secret-shown');
}

/** Whatever is given: true, false, or undefined where that depends. */
function always(condition: Condition): boolean | undefined {
  if (conditionReads(condition).length > 0) return undefined;
  try {
    return holds(condition, () => undefined) === true;
  } catch {
    return undefined; // told where it is checked
  }
}

export function checkReach(problems: Problems, id: string, condition: Condition, at: Path): void {
  if (always(condition) === false) problems.at(at, `${id} is never run: its condition never holds`, 'unreachable');
}

/** The phases of one step, of which the first is taken whose condition holds. */
export function checkChoice(
  problems: Problems,
  candidates: readonly { phase: { name: string }; condition: Condition }[],
  at: Path,
): void {
  const taken = candidates.findIndex(({ condition }) => always(condition) === true);
  candidates.forEach(({ phase, condition }, index) => {
    const why = always(condition) === false ? 'its condition never holds' : 'one before it always is';
    if (always(condition) === false || (taken >= 0 && index > taken))
      problems.at([...at, index], `phase ${phase.name} is never chosen: ${why}`, 'unreachable');
  });
}
