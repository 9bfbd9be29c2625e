/** All that is wrong with a pipeline and its environments, on whichever machine. */
import { checkPipeline } from '../pipeline/check.ts';
import type { Registry } from '../pipeline/registry.ts';
import { isJoinError, type Problem } from '../sdk/index.ts';
import type { IsWanted, Resolved } from './resolve.ts';
import type { Tracked } from './tracked.ts';

export interface Checkable {
  /** What environments say for some machines only. */
  parts: readonly Tracked[];
  resolve(isWanted?: IsWanted): Resolved;
}

/** Without the parts that are for some machines only, and then with each of them. The steps are empty where something is wrong. */
export function checkEverywhere({ parts, resolve }: Checkable, registry: Registry) {
  const found = new Map<string, Problem>();
  let steps: string[] = [];
  for (const one of [undefined, ...parts])
    for (const problem of problemsOf(() => {
      const planned = checkPipeline(resolve((part) => part === one).pipeline, registry);
      if (one === undefined) steps = planned.map(({ id }) => id);
    }))
      found.set(JSON.stringify(problem), problem);
  return { steps: found.size === 0 ? steps : [], problems: [...found.values()] };
}

/** Those of the E_PIPELINE that `act` throws. */
export function problemsOf(act: () => void): readonly Problem[] {
  try {
    act();
    return [];
  } catch (error) {
    return problemsIn(error);
  }
}

/** Throws what is no E_PIPELINE. */
export function problemsIn(error: unknown): readonly Problem[] {
  if (!isJoinError(error) || error.code !== 'E_PIPELINE') throw error;
  return (error.facts as { problems: Problem[] }).problems;
}
