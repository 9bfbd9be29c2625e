/** Results as JSON: the documents that schemas/run-result.schema.json and undo-result.schema.json describe. */
import type { Salvaged } from '../../engine/journal/runs.ts';
import type { UndoItem } from '../../engine/journal/undo.ts';
import type { Plan } from '../../engine/pipeline/plan.ts';
import type { RunResult } from '../../engine/run/run.ts';
import { defined, EXIT, isJoinError, printable } from '../../engine/sdk/index.ts';
import { asItIs, type HintText } from './continuation.ts';

export interface ResultOptions {
  plan?: Plan;
  dryRun?: boolean;
  hint?: HintText;
}

export function resultDocument(result: RunResult, options: ResultOptions = {}): object {
  const { plan, dryRun = false, hint } = options;
  const { id, pipeline, status, durationMs, changes, isUndone, outputs } = result;
  const { nodeName } = plan?.inputs ?? {};
  return defined({
    apiVersion: 'joinery.dev/v1',
    kind: 'RunResult',
    id,
    pipeline,
    dryRun,
    status,
    durationMs,
    changes: dryRun ? undefined : changes,
    undone: dryRun ? undefined : isUndone,
    nodeName: typeof nodeName === 'string' ? nodeName : undefined,
    notes: plan === undefined || plan.notes.length === 0 ? undefined : plan.notes,
    // A Secret serializes as ***.
    steps: result.steps.map((step) => defined({ ...step, error: errorDocument(step.error, hint) })),
    outputs,
    error: errorDocument(result.error, hint),
    undoError: errorDocument(result.undoError, hint),
  });
}

/** The result of a command that failed before its run began. */
export const failureDocument = (error: unknown, hint?: HintText): object =>
  defined({
    apiVersion: 'joinery.dev/v1',
    kind: 'RunResult',
    pipeline: '',
    dryRun: false,
    status: 'failed',
    durationMs: 0,
    steps: [],
    error: errorDocument(error, hint),
  });

export interface UndoneOptions {
  /** The unreadable part of a damaged journal. */
  unknown?: Salvaged['unknown'];
  hint?: HintText;
}

/** The document that schemas/undo-result.schema.json describes. */
export function undoDocument(
  { id, pipeline, status, durationMs, changes, error }: RunResult,
  items: readonly UndoItem[],
  { unknown, hint }: UndoneOptions = {},
): object {
  return defined({
    apiVersion: 'joinery.dev/v1',
    kind: 'UndoResult',
    id,
    pipeline,
    durationMs,
    changes,
    items,
    status: status === 'succeeded' && unknown === undefined ? 'undone' : 'undone-in-part',
    unknown,
    error: errorDocument(error, hint),
  });
}

export const jsonText = (document: object): string => escapedJson(JSON.stringify(document, null, 2));

/** Escapes what a terminal would interpret; a JSON parser reads the same text. */
export const escapedJson = (json: string): string => printable(json, escaped);

/** As in a quoted text of JSON or YAML. */
export const escaped = (character: string): string =>
  character.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

export function errorDocument(error: unknown, hintText: HintText = asItIs): object | undefined {
  if (error === undefined) return undefined;
  if (!isJoinError(error)) return { code: 'E_BUG', message: String(error), hint: '', exitCode: EXIT.bug, facts: {} };
  const { code, message, hint, exitCode, facts, step } = error;
  return defined({ code, message, hint: hintText(hint), exitCode, facts, step });
}
