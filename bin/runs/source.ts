/** Compares what two runs were planned from: pipeline or phase, and environments. */
import { isDeepStrictEqual } from 'node:util';
import type { PlanSource } from '../../engine/pipeline/plan.ts';

/** Names the first difference, if any. */
export function sourceDifference(now: PlanSource, before: PlanSource): string | undefined {
  if (now.name !== before.name || now.digest !== before.digest) return now.kind;
  const [environments = [], earlier = []] = [now.environments, before.environments];
  const names = earlier.map(({ name }) => name);
  if (
    !isDeepStrictEqual(
      environments.map(({ name }) => name),
      names,
    )
  )
    return `environment (before: ${names.length === 0 ? 'none' : names.join(', ')})`;
  const changed = earlier.find(({ digest }, index) => environments[index]?.digest !== digest);
  return changed === undefined ? undefined : `environment ${changed.name}`;
}
