/**
 * Everything that can be wrong with a pipeline before its inputs have values: names, types, order and write conflicts.
 */
import { durationMs } from '../documents/durations.ts';
import { checkTemplate } from '../expressions/check.ts';
import type { Lookup } from '../expressions/references.ts';
import type { Scope } from '../expressions/scope.ts';
import { parseTemplate, type Template } from '../expressions/template.ts';
import { defined } from '../sdk/fields.ts';
import { checkRetry, checkStep } from './check-step.ts';
import { checkInputs } from './inputs.ts';
import type { Pipeline } from './load.ts';
import { type PlannedStep, planStep } from './planned-step.ts';
import type { Registry } from './registry.ts';
import { sectionOf } from './sections.ts';
import { finallyScope, outputsScope, type Section, stepScope } from './step-scopes.ts';
import { checkLimits } from './time-limits.ts';
import { checkWriteConflicts } from './write-conflicts.ts';

const DEFAULT_FINALLY = '5m';

export interface CheckedPipeline {
  steps: PlannedStep[];
  finally?: { steps: PlannedStep[]; budgetMs: number };
  outputs?: Template;
}

/**
 * Checks every phase that a step may use, and throws E_PIPELINE with every problem. `values` looks up inputs to choose
 * the phase of each step; without it, each step has its first phase.
 */
export function checkPipeline(pipeline: Pipeline, registry: Registry, values?: () => Lookup): CheckedPipeline {
  const { problems, defaults } = pipeline;
  const gates = Object.fromEntries(registry.gates().map(({ name }) => [name, { type: 'boolean' } as const]));
  const scope: Scope = { problems, inputs: pipeline.inputs, gates, present: [] };
  checkInputs(pipeline);
  checkRetry(pipeline, defaults.retry, ['defaults', 'retry']);
  const context = { pipeline, registry, scope };
  const main = sectionOf(context, 'steps');
  const last = pipeline.finally === undefined ? undefined : sectionOf(context, 'finally');
  checkUniqueIds(pipeline, main, last);
  for (const step of main.steps) checkStep(pipeline, step, { ...scope, ...stepScope(step, main) });
  for (const step of last?.steps ?? [])
    checkStep(pipeline, step, { ...scope, ...finallyScope(step, main, last ?? main) });
  checkLimits(pipeline);
  for (const section of [main, last])
    if (section !== undefined) checkWriteConflicts(pipeline, section.needs, section.steps, section.key);
  const outputs = checkOutputs(pipeline, { ...scope, ...outputsScope(main) });
  problems.throwIfAny();
  const lookup = values?.();
  const steps = planSection(pipeline, main, lookup);
  const lastSteps = last && planSection(pipeline, last, lookup);
  problems.throwIfAny();
  const budgetMs = durationMs(defaults.finally ?? DEFAULT_FINALLY);
  return defined({ steps, finally: lastSteps && { steps: lastSteps, budgetMs }, outputs });
}

const planSection = (pipeline: Pipeline, { steps, needs }: Section, lookup: Lookup | undefined): PlannedStep[] =>
  steps.map((step) => planStep(pipeline, step, needs, lookup)).filter((step) => step !== undefined);

/** Ids are unique across `steps` and `finally`. */
function checkUniqueIds({ problems }: Pipeline, main: Section, last: Section | undefined): void {
  for (const { step, path } of last?.steps ?? [])
    if (main.byId.has(step.id)) problems.at([...path, 'id'], `two steps have the id ${step.id}`, 'double-id');
}

function checkOutputs({ outputs, problems }: Pipeline, scope: Scope): Template | undefined {
  if (outputs === undefined) return undefined;
  const template = parseTemplate(outputs, (at, message) => problems.at(['outputs', ...at], message, 'expression'));
  checkTemplate(scope, template, { schema: {}, path: ['outputs'], exposure: 'outputs are printed' });
  return template;
}
