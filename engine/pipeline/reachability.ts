/** Steps and phases that no run can reach. */

import type { Path, Problems } from '../documents/problems.ts';
import { type Condition, conditionReads, holds } from '../expressions/conditions.ts';

/** The value of a condition that reads nothing. Undefined if it depends on values, or has none. */
function constantValue(condition: Condition): boolean | undefined {
  if (conditionReads(condition).length > 0) return undefined;
  try {
    return holds(condition, () => undefined) === true;
  } catch {
    return undefined; // checkCondition reports the error
  }
}

export function checkReachable(problems: Problems, id: string, condition: Condition, at: Path): void {
  if (constantValue(condition) === false)
    problems.at(at, `step ${id} never runs: its condition is always false`, 'unreachable');
}

/** Checks the phases of one step. The step uses the first whose condition is true. */
export function checkVariants(
  problems: Problems,
  candidates: readonly { phase: { name: string }; condition: Condition }[],
  at: Path,
): void {
  const values = candidates.map(({ condition }) => constantValue(condition));
  const first = values.indexOf(true);
  candidates.forEach(({ phase }, index) => {
    const reason = values[index] === false ? 'its condition is always false' : 'an earlier phase is always used';
    if (values[index] === false || (first >= 0 && index > first))
      problems.at([...at, index], `phase ${phase.name} is never used: ${reason}`, 'unreachable');
  });
}
