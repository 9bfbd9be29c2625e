/** All that can be found wrong with a pipeline before anybody gives a value: names, types, order, writers. */
import { isDeepStrictEqual } from 'node:util';
import { durationMs } from '../documents/durations.ts';
import type { Path } from '../documents/problems.ts';
import { violations } from '../documents/validate.ts';
import { type Condition, parseCondition } from '../expressions/conditions.ts';
import type { Lookup } from '../expressions/references.ts';
import { evaluate, expressions, parseTemplate, references, type Template } from '../expressions/template.ts';
import { errorCodes } from '../sdk/errors.ts';
import type { AnyPhase } from '../sdk/phase.ts';
import type { Schema } from '../sdk/schema.ts';
import { revealSecrets } from '../sdk/secret.ts';
import { didYouMean, nearest } from '../sdk/text.ts';
import { approvalPhase } from './approval.ts';
import { checkCondition, checkTemplate, HOST_FACTS, type Sight } from './check-expressions.ts';
import { needsOf } from './graph.ts';
import { type Pipeline, type PipelineStep, type RetryPolicy, variantsOf } from './load.ts';
import { type Candidate, type Checked, DEFAULT_TIMEOUT, forPhase, type PlannedStep, plannedStep } from './planned.ts';
import type { Registry } from './registry.ts';
import { type Section, sightOf, sightOfFinally, sightOfOutputs } from './step-scopes.ts';
import { checkLimits } from './time-limits.ts';
import { checkChoice, checkReach, refuseSecret } from './unreachable.ts';
import { checkWriters } from './writers.ts';

export type { PlannedStep } from './planned.ts';
export { DEFAULT_TIMEOUT };

const DEFAULT_FINALLY = '5m';

export interface CheckedPipeline {
  steps: PlannedStep[];
  finally?: { steps: PlannedStep[]; budgetMs: number };
  outputs?: Template;
}

/** Its steps, with the first of the phases that each may use. E_PIPELINE with every problem. */
export const checkPipeline = (pipeline: Pipeline, registry: Registry): PlannedStep[] =>
  checkedPipeline(pipeline, registry).steps;

/**
 * Checks all that can be known without the user's values, of every phase that a step may use. E_PIPELINE with every problem.
 * The steps are those that a run with these values would have; left out, those of the first phases.
 */
export function checkedPipeline(pipeline: Pipeline, registry: Registry, values?: () => Lookup): CheckedPipeline {
  const { problems, defaults } = pipeline;
  const gates = Object.fromEntries(registry.gates().map(({ name }) => [name, { type: 'boolean' } as const]));
  const before: Sight = { problems, inputs: pipeline.inputs, gates, present: [] };
  checkOwnInputs(pipeline);
  checkRetry(pipeline, defaults.retry, ['defaults', 'retry']);
  const main = sectionOf(pipeline, registry, 'steps', before);
  const last = pipeline.finally === undefined ? undefined : sectionOf(pipeline, registry, 'finally', before);
  checkIds(pipeline, main, last);
  for (const each of main.steps) checkStep(pipeline, each, { ...before, ...sightOf(each, main) });
  for (const each of last?.steps ?? [])
    checkStep(pipeline, each, { ...before, ...sightOfFinally(each, main, last ?? main) });
  checkLimits(pipeline);
  for (const section of [main, last])
    if (section !== undefined) checkWriters(pipeline, section.needs, section.steps, section.key);
  const outputs = checkOutputs(pipeline, { ...before, ...sightOfOutputs(main) });
  problems.throwIfAny();
  const lookup = values?.();
  const planned = ({ steps, needs }: Section) =>
    steps.map((each) => plannedStep(pipeline, each, needs, lookup)).filter((step) => step !== undefined);
  const steps = planned(main);
  const after = last === undefined ? undefined : planned(last);
  problems.throwIfAny();
  return {
    steps,
    ...(after === undefined
      ? {}
      : { finally: { steps: after, budgetMs: durationMs(defaults.finally ?? DEFAULT_FINALLY) } }),
    ...(outputs === undefined ? {} : { outputs }),
  };
}

/** `steps` or `finally`, with what was made of each of its steps. */
function sectionOf(pipeline: Pipeline, registry: Registry, key: Section['key'], sight: Sight): Section {
  const { problems } = pipeline;
  const needs = needsOf({ steps: pipeline[key] ?? [], problems }, key);
  const steps = (pipeline[key] ?? []).map((step, index): Checked => {
    const path = [key, index];
    const where = step.approval === undefined ? 'with' : 'approval';
    const given = step.approval === undefined ? step.with : { message: step.approval.message };
    const template = parseTemplate(given ?? {}, (at, message) =>
      problems.at([...path, where, ...at], message, 'expression'),
    );
    const condition = conditionAt(pipeline, step.if, [...path, 'if']);
    return { step, path, template, condition, candidates: candidatesOf(pipeline, registry, step, path, sight) };
  });
  return { key, steps, needs, byId: new Map(steps.map((each) => [each.step.id, each])) };
}

/** An id stands for one step, wherever it is. */
function checkIds({ problems }: Pipeline, main: Section, last: Section | undefined): void {
  for (const { step, path } of last?.steps ?? [])
    if (main.byId.has(step.id)) problems.at([...path, 'id'], `two steps have the id ${step.id}`, 'double-id');
}

/** Inputs nobody declared are mistakes. */
export const closed = (inputs: Schema): Schema => ({ ...inputs, additionalProperties: false });

function conditionAt({ problems }: Pipeline, text: string | undefined, at: Path): Condition {
  try {
    return parseCondition(text);
  } catch (error) {
    problems.at(at, `${text}: ${(error as Error).message}`, 'expression');
    return parseCondition(undefined);
  }
}

/** What the pipeline gives: it is shown to whoever asks, so it is no secret. */
function checkOutputs({ outputs, problems }: Pipeline, sight: Sight): Template | undefined {
  if (outputs === undefined) return undefined;
  const template = parseTemplate(outputs, (at, message) => problems.at(['outputs', ...at], message, 'expression'));
  checkTemplate(sight, template, {}, ['outputs'], 'who is shown the outputs');
  return template;
}

const NOT_OF_APPROVALS = ['uses', 'with', 'retry', 'timeout'] as const;

/** The phases that there are of those a step names; what is wrong with the others is told. */
function candidatesOf(
  pipeline: Pipeline,
  registry: Registry,
  step: PipelineStep,
  path: Path,
  sight: Sight,
): Candidate[] {
  const { problems } = pipeline;
  if (step.approval !== undefined) {
    for (const key of NOT_OF_APPROVALS)
      if (step[key] !== undefined) problems.atKey(path, key, `an approval has no ${key}: leave it out`, 'unknown-key');
    return [{ phase: approvalPhase, condition: parseCondition(undefined) }];
  }
  const isList = typeof step.uses !== 'string';
  const found = variantsOf(step).flatMap((variant, position): Candidate[] => {
    const at = [...path, 'uses', ...(isList ? [position] : [])];
    const phase = registry.find(variant.phase);
    if (phase === undefined) {
      const known = didYouMean(variant.phase, registry.names()) || '; join phase lists them';
      problems.at(isList ? [...at, 'phase'] : at, `there is no phase ${variant.phase}${known}`, 'unknown-phase');
    }
    const condition = conditionAt(pipeline, variant.if, [...at, 'if']);
    checkCondition(sight, condition, [...at, 'if']);
    return phase === undefined ? [] : [{ phase, condition }];
  });
  const [first, ...rest] = found;
  for (const { phase } of rest)
    if (first !== undefined && !isDeepStrictEqual(phase.output, first.phase.output))
      problems.at(
        [...path, 'uses'],
        `${phase.name} and ${first.phase.name} have other outputs, so they cannot stand for each other`,
        'outputs-differ',
      );
  return found;
}

/** The pipeline's own inputs: schemas that ajv can compile, defaults that read host facts and nothing else. */
function checkOwnInputs({ inputs, problems }: Pipeline): void {
  const unusable = whyUnusable(closed(inputs));
  const alone = Object.entries(inputs.properties).map(([name, schema]) => ({
    name,
    why: unusable === undefined ? undefined : whyUnusable(schema),
  }));
  for (const { name, why } of alone)
    if (why !== undefined)
      problems.at(['inputs', 'properties', name], `the schema of ${name} cannot be used: ${why}`, 'schema');
  if (unusable !== undefined && alone.every(({ why }) => why === undefined))
    problems.at(['inputs'], `the schema of the inputs cannot be used: ${unusable}`, 'schema');
  for (const [name, schema] of Object.entries(inputs.properties)) {
    const path = ['inputs', 'properties', name];
    if (schema.writeOnly === true && schema.default !== undefined) refuseSecret(problems, name, [...path, 'default']);
    const template = parseTemplate(schema.default, (at, text) =>
      problems.at([...path, 'default', ...at], text, 'expression'),
    );
    for (const { reference, path: at } of references(template))
      if (reference.kind !== 'host' || !Object.hasOwn(HOST_FACTS, reference.name))
        problems.at([...path, 'default', ...at], `a default reads host facts only: ${facts}`, 'not-upstream');
  }
}

/** Why ajv cannot check values by a schema that came from outside. */
export function whyUnusable(schema: Schema): string | undefined {
  if (refers(schema)) return 'it refers to another ($ref)'; // and perhaps to itself, without end
  try {
    violations(schema, {});
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const refers = (part: unknown): boolean =>
  typeof part === 'object' &&
  part !== null &&
  Object.entries(part).some(([key, inner]) => key === '$ref' || key === '$dynamicRef' || refers(inner));

const facts = Object.keys(HOST_FACTS)
  .map((name) => `host.${name}`)
  .join(', ');

/** An error that nothing ends with is a mistake, where its name is nearly that of one. A plugin has errors of its own. */
function checkRetry({ problems }: Pipeline, retry: Partial<RetryPolicy> | undefined, at: Path): void {
  retry?.on?.forEach((kind, index) => {
    const meant =
      kind === 'transient' || errorCodes.some((code) => code === kind) ? undefined : nearest(kind, errorCodes);
    if (meant !== undefined)
      problems.at([...at, 'on', index], `no error is called ${kind}; did you mean ${meant}?`, 'unknown-error');
  });
}

function checkStep(pipeline: Pipeline, checked: Checked, sight: Sight): void {
  const { step, path, candidates, condition } = checked;
  checkCondition({ ...sight, present: [] }, condition, [...path, 'if']);
  checkReach(pipeline.problems, step.id, condition, [...path, 'if']);
  checkChoice(pipeline.problems, candidates, [...path, 'uses']);
  checkRetry(pipeline, step.retry, [...path, 'retry']);
  for (const { phase } of candidates) {
    const template = forPhase(checked.template, phase, candidates);
    const at = [...path, step.approval === undefined ? 'with' : 'approval'];
    checkGiven(pipeline, step, phase, template, path);
    const whom = step.approval === undefined ? `phase ${phase.name}` : 'who is asked';
    checkTemplate(sight, template, phase.input, at, whom);
  }
}

/** Names of inputs, and values that are written out. */
function checkGiven({ problems }: Pipeline, step: PipelineStep, phase: AnyPhase, template: Template, path: Path): void {
  const at = [...path, 'with'];
  const properties = phase.input.properties ?? {};
  const given = template.kind === 'map' ? template.entries : [];
  for (const [name, value] of given) {
    const schema = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (schema === undefined) {
      const meant = didYouMean(name, Object.keys(properties));
      problems.atKey(at, name, `phase ${phase.name} has no input ${name}${meant}`, 'unknown-input');
    } else if (expressions(value).length === 0) {
      const literal = evaluate(value, () => undefined);
      if (literal === undefined) continue; // a hole that could not be parsed, and was reported
      if (schema.writeOnly === true) {
        refuseSecret(problems, name, [...at, name]);
        continue;
      }
      for (const violation of violations(schema, revealSecrets(literal)))
        problems.at([...at, name, ...violation.path], `${name} ${violation.message}`, 'wrong-type');
    }
  }
  for (const name of phase.input.required ?? [])
    if (!given.some(([key]) => key === name))
      problems.at(step.with === undefined ? path : at, `phase ${phase.name} needs the input ${name}`, 'missing-input');
}
