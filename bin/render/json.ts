/** Results as JSON: the documents that schemas/run-result.schema.json and undo-result.schema.json describe. */
import type { Salvaged } from '../../engine/journal/runs.ts';
import type { UndoItem } from '../../engine/journal/undo.ts';
import type { Plan } from '../../engine/pipeline/plan.ts';
import type { RunResult } from '../../engine/run/run.ts';
import { defined, EXIT, isJoinError, printable } from '../../engine/sdk/index.ts';

export interface ResultOptions {
  plan?: Plan;
  dryRun?: boolean;
}

export function resultDocument(result: RunResult, { plan, dryRun = false }: ResultOptions = {}): object {
  const { id, pipeline, status, durationMs, outputs } = result;
  const { nodeName } = plan?.inputs ?? {};
  return defined({
    apiVersion: 'joinery.dev/v1',
    kind: 'RunResult',
    id,
    pipeline,
    dryRun,
    status,
    durationMs,
    nodeName: typeof nodeName === 'string' ? nodeName : undefined,
    notes: plan === undefined || plan.notes.length === 0 ? undefined : plan.notes,
    // A Secret serializes as ***.
    steps: result.steps.map((step) => defined({ ...step, error: errorDocument(step.error) })),
    outputs,
    error: errorDocument(result.error),
  });
}

/** The document that schemas/undo-result.schema.json describes. */
export function undoDocument(
  { id, pipeline, status, durationMs, error }: RunResult,
  items: readonly UndoItem[],
  unknown?: Salvaged['unknown'],
): object {
  return defined({
    apiVersion: 'joinery.dev/v1',
    kind: 'UndoResult',
    id,
    pipeline,
    durationMs,
    items,
    status: status === 'succeeded' && unknown === undefined ? 'undone' : 'undone-in-part',
    unknown,
    error: errorDocument(error),
  });
}

export const jsonText = (document: object): string => escapedJson(JSON.stringify(document, null, 2));

/** Escapes what a terminal would interpret; a JSON parser reads the same text. */
export const escapedJson = (json: string): string =>
  printable(json, (character) =>
    character.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );

export function errorDocument(error: unknown): object | undefined {
  if (error === undefined) return undefined;
  if (!isJoinError(error)) return { code: 'E_BUG', message: String(error), hint: '', exitCode: EXIT.bug, facts: {} };
  const { code, message, hint, exitCode, facts, step } = error;
  return defined({ code, message, hint, exitCode, facts, step });
}
