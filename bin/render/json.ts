/** The result as the document that schemas/run-result.schema.json describes. */
import type { UndoItem } from '../../engine/journal/undo.ts';
import type { Plan } from '../../engine/pipeline/plan.ts';
import type { RunResult } from '../../engine/run/run.ts';
import { EXIT, isJoinError, printable } from '../../engine/sdk/index.ts';

export function resultDocument(result: RunResult, plan?: Plan, dryRun = false): object {
  return {
    apiVersion: 'joinery.dev/v1',
    kind: 'RunResult',
    ...(result.id === undefined ? {} : { id: result.id }),
    pipeline: result.pipeline,
    dryRun,
    status: result.status,
    durationMs: result.durationMs,
    ...(typeof plan?.inputs.nodeName === 'string' ? { nodeName: plan.inputs.nodeName } : {}),
    ...(plan === undefined || plan.notes.length === 0 ? {} : { notes: plan.notes }),
    // Secrets print as *** by themselves.
    steps: result.steps.map(({ error, ...step }) => ({
      ...step,
      ...(error === undefined ? {} : { error: told(error) }),
    })),
    ...(result.outputs === undefined ? {} : { outputs: result.outputs }),
    ...(result.error === undefined ? {} : { error: told(result.error) }),
  };
}

/** The result as the document that schemas/undo-result.schema.json describes. */
export function undoDocument(
  { id, pipeline, status, durationMs, error }: RunResult,
  items: readonly UndoItem[],
): object {
  return {
    apiVersion: 'joinery.dev/v1',
    kind: 'UndoResult',
    ...{ id, pipeline, durationMs, items },
    status: status === 'succeeded' ? 'undone' : 'undone-in-part',
    ...(error === undefined ? {} : { error: told(error) }),
  };
}

/** What a terminal would obey is escaped: to who parses it, it is the same. */
export const jsonText = (document: object): string =>
  printable(JSON.stringify(document, null, 2), (character) =>
    character.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );

export function told(error: unknown): object {
  if (!isJoinError(error)) return { code: 'E_BUG', message: String(error), hint: '', exitCode: EXIT.bug, facts: {} };
  const { code, message, hint, exitCode, facts, step } = error;
  return { code, message, hint, exitCode, facts, ...(step === undefined ? {} : { step }) };
}
