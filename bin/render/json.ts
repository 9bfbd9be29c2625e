/** Results as JSON: the documents that schemas/run-result.schema.json and undo-result.schema.json describe. */
import type { UndoItem } from '../../engine/journal/undo.ts';
import type { Plan } from '../../engine/pipeline/plan.ts';
import type { RunResult } from '../../engine/run/run.ts';
import { EXIT, isJoinError, printable } from '../../engine/sdk/index.ts';

export interface ResultOptions {
  plan?: Plan;
  dryRun?: boolean;
}

export function resultDocument(result: RunResult, { plan, dryRun = false }: ResultOptions = {}): object {
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
    // A Secret serializes as ***.
    steps: result.steps.map(({ error, ...step }) => ({
      ...step,
      ...(error === undefined ? {} : { error: errorDocument(error) }),
    })),
    ...(result.outputs === undefined ? {} : { outputs: result.outputs }),
    ...(result.error === undefined ? {} : { error: errorDocument(result.error) }),
  };
}

/** The document that schemas/undo-result.schema.json describes. */
export function undoDocument(
  { id, pipeline, status, durationMs, error }: RunResult,
  items: readonly UndoItem[],
): object {
  return {
    apiVersion: 'joinery.dev/v1',
    kind: 'UndoResult',
    id,
    pipeline,
    durationMs,
    items,
    status: status === 'succeeded' ? 'undone' : 'undone-in-part',
    ...(error === undefined ? {} : { error: errorDocument(error) }),
  };
}

/** Escapes what a terminal would interpret; a JSON parser reads the same text. */
export const jsonText = (document: object): string =>
  printable(JSON.stringify(document, null, 2), (character) =>
    character.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );

export function errorDocument(error: unknown): object {
  if (!isJoinError(error)) return { code: 'E_BUG', message: String(error), hint: '', exitCode: EXIT.bug, facts: {} };
  const { code, message, hint, exitCode, facts, step } = error;
  return { code, message, hint, exitCode, facts, ...(step === undefined ? {} : { step }) };
}
