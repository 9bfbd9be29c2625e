/** The errors that a command prints at the end of a run or of an undo. */
import type { Plan } from '../../engine/pipeline/plan.ts';
import type { RunResult, StepResult } from '../../engine/run/run.ts';
import { isJoinError } from '../../engine/sdk/index.ts';

/** Whether the error of a step needs no report: it is that of an earlier process, or it is allowed. */
export type IsKnown = (step: StepResult) => boolean;

/** The failures that the pipeline allows, also of steps that are undone by now. */
export function allowedBy({ steps, finally: last }: Plan): IsKnown {
  const allowed = [...steps, ...(last?.steps ?? [])].flatMap((step) => (step.allowFailure === true ? step.id : []));
  return ({ id }) => allowed.includes(id);
}

/** The error that ended the run, those of other steps that failed, and why it could not be undone. */
export function errorsOf({ error, steps, undoError }: RunResult, isKnown: IsKnown): unknown[] {
  const failed = steps.filter(({ status }) => status === 'failed' || status === 'undone' || status === 'undo-failed');
  const others = failed
    .flatMap((step) => (isKnown(step) ? [] : [step.error]))
    .filter((each) => !isJoinError(each) || each.code !== 'E_CANCELLED');
  return [...new Set([error, ...others, undoError])].filter((each) => each !== undefined);
}
