/** Kills a run on a stage, and says what is wrong after it was resumed or undone. */
import type { Mode } from './child.ts';
import type { Killed, Objects, Stage } from './stage.ts';

/** A machine in the middle of a run, and its cluster. */
export interface Scene {
  root: string;
  objects: Objects;
  /** Whether the kubelet is running. */
  isRunning: boolean;
}

/** A copy of the scene; the scene itself does not change. */
export async function enter(stage: Stage, scene: Scene | undefined): Promise<string> {
  const root = await stage.machine(scene?.root);
  stage.objects = scene?.objects ?? [];
  if (scene?.isRunning === true) await stage.startKubelet(root);
  return root;
}

export async function killed(stage: Stage, mode: Mode, killAt: number, scene?: Scene): Promise<Killed> {
  for (let tries = 0; tries < 5; tries++) {
    const root = await enter(stage, scene);
    const kill = await stage.kill(mode, root, killAt);
    if (kill !== undefined) return kill;
    await stage.clear(root); // parallel steps may have saved a write
  }
  throw new Error(`no ${mode} has a point ${killAt}`);
}

/** Each stage takes the next case when it has finished one. Returns the problems in the order of the cases. */
export async function inTurns<S extends Stage, T>(
  stages: readonly S[],
  cases: readonly T[],
  act: (stage: S, item: T) => Promise<string[]>,
): Promise<string[]> {
  const problems: string[][] = [];
  let next = 0;
  const work = async (stage: S) => {
    for (let index = next++; index < cases.length; index = next++) {
      const item = cases[index] as T;
      const found = await act(stage, item).catch((error: Error) => [`${error.stack}`]);
      problems[index] = found.map((problem) => `${JSON.stringify(item)} ${problem}`);
    }
  };
  await Promise.all(stages.map(work));
  return problems.flat();
}

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/**
 * Resumes a killed run. If its journal is empty, the run starts again. A run that was finished or undone stays as it
 * is.
 */
export async function problemsAfterResume(stage: Stage, root: string, byCommand: boolean): Promise<string[]> {
  const { status, code, message } = byCommand ? await stage.type(['resume'], root) : await stage.act('resume', root);
  if (code === 'E_RUN_NONE') {
    const [state] = await stage.statesOfRuns(root);
    if (state !== undefined) return state === 'undone' ? stage.problemsOfUndo(root, true) : stage.problemsOfRun(root);
    const problems = await stage.problemsOfUndo(root, false);
    if (problems.length > 0) return problems;
    await stage.act('run', root);
  } else if (status !== 'succeeded') return [`resume: ${code} ${message}`];
  return stage.problemsOfRun(root);
}

export async function problemsAfterUndo(stage: Stage, root: string, byCommand: boolean): Promise<string[]> {
  const { status, code, message } = byCommand
    ? await stage.type(['undo', '--yes'], root)
    : await stage.act('undo', root);
  if (status !== 'succeeded' && code !== 'E_RUN_NONE') return [`undo: ${code} ${message}`];
  return stage.problemsOfUndo(root, (await stage.statesOfRuns(root)).length > 0);
}
