/** Everything that is wrong with a pipeline and its environments, whichever machine they run on. */
import { checkPipeline } from '../pipeline/check.ts';
import type { Registry } from '../pipeline/registry.ts';
import { isJoinError, type Problem } from '../sdk/index.ts';
import type { PartFilter, ResolvedPipeline } from './resolve.ts';
import type { TrackedValue } from './tracked.ts';

export interface LayeredPipeline {
  /** The parts of the environments that apply to some machines only. */
  parts: readonly TrackedValue[];
  resolve(applies?: PartFilter): ResolvedPipeline;
}

/**
 * Checks the pipeline without the parts for some machines, and then with each of them. Without problems, returns the
 * steps.
 */
export function checkForAllHosts({ parts, resolve }: LayeredPipeline, registry: Registry) {
  const found = new Map<string, Problem>();
  let steps: string[] = [];
  for (const part of [undefined, ...parts])
    for (const problem of collectProblems(() => {
      const checked = checkPipeline(resolve((other) => other === part).pipeline, registry);
      if (part === undefined) steps = checked.steps.map(({ id }) => id);
    }))
      found.set(JSON.stringify(problem), problem);
  return { steps: found.size === 0 ? steps : [], problems: [...found.values()] };
}

/** The problems of the E_PIPELINE that `act` throws. */
function collectProblems(act: () => void): readonly Problem[] {
  try {
    act();
    return [];
  } catch (error) {
    return problemsIn(error);
  }
}

/** The problems of an E_PIPELINE. Throws any other error. */
export function problemsIn(error: unknown): readonly Problem[] {
  if (!isJoinError(error) || error.code !== 'E_PIPELINE') throw error;
  return (error.facts as { problems: Problem[] }).problems;
}
