/** All that can be found wrong with a pipeline before anybody gives a value: names, types, order, writers. */
import { isDeepStrictEqual } from 'node:util';
import type { Registry } from '../registry.ts';
import { filled } from '../sdk/effects.ts';
import type { AnyPhase } from '../sdk/phase.ts';
import type { HostFacts } from '../sdk/ports.ts';
import { propertySchema, type Schema } from '../sdk/schema.ts';
import { revealed } from '../sdk/secret.ts';
import { didYouMean } from '../sdk/text.ts';
import { type Condition, holds, parseCondition } from './conditions.ts';
import { isAfter, type Needs, needsOf, orderOf } from './graph.ts';
import { evaluate, parseTemplate, type Reference, references, type Template } from './holes.ts';
import { durationMs, type Pipeline, type PipelineStep, variantsOf } from './load.ts';
import type { Path } from './problems.ts';
import { violations } from './validate.ts';

export interface PlannedStep {
  id: string;
  phase: AnyPhase;
  needs: readonly string[];
  /** Steps whose outputs it reads; each is among those it comes after. */
  reads: readonly string[];
  with: Template;
  timeoutMs: number;
  retry: { attempts: number; initialMs: number; factor: number; capMs: number };
}

export const DEFAULT_TIMEOUT = '5m';
const DEFAULT_RETRY = { attempts: 1, initial: '1s', factor: 2, cap: '30s' };
const HOST_FACTS: Record<keyof HostFacts, Schema> = { name: { type: 'string' }, privileged: { type: 'boolean' } };

/** A phase that a step may use, and when. */
interface Candidate {
  phase: AnyPhase;
  condition: Condition;
}

/**
 * Checks all that can be known without the user's values, of every phase that a step may use. E_PIPELINE with every problem.
 * The steps are those that a run with `inputs` would have; left out, those of the first phases.
 */
export function checkPipeline(
  pipeline: Pipeline,
  registry: Registry,
  inputs?: Readonly<Record<string, unknown>>,
): PlannedStep[] {
  const needs = needsOf(pipeline);
  checkOwnInputs(pipeline);
  const candidates = pipeline.steps.map((step, index) => candidatesOf(pipeline, registry, step, index));
  const phaseOf = new Map(pipeline.steps.map((step, index) => [step.id, candidates[index]?.[0]?.phase]));
  const gates = Object.fromEntries(registry.gates().map(({ name }) => [name, { type: 'boolean' } as const]));
  const steps = pipeline.steps.map((step, index) => {
    const phases = candidates[index] ?? [];
    const path = ['steps', index, 'with'];
    const template = parseTemplate(step.with ?? {}, (at, message) => pipeline.problems.at([...path, ...at], message));
    for (const { phase } of phases) {
      const others = phases.flatMap((other) => (other.phase === phase ? [] : [other.phase]));
      checkInputs({ pipeline, needs, phaseOf, gates, step, phase, others, template, path });
    }
    const chosen = phases.find(({ condition }) => inputs === undefined || holds(condition, inputs));
    if (chosen === undefined && phases.length > 0)
      pipeline.problems.at(['steps', index, 'uses'], `no condition of step ${step.id} holds: leave out the last one`);
    if (chosen === undefined) return undefined;
    const others = phases.map(({ phase }) => phase);
    return plannedStep(pipeline, step, chosen.phase, needs, forPhase(template, chosen.phase, others));
  });
  checkWriters(pipeline, needs, candidates);
  pipeline.problems.throwIfAny();
  return steps.filter((step) => step !== undefined);
}

/** Inputs nobody declared are mistakes. */
export const closed = (inputs: Schema): Schema => ({ ...inputs, additionalProperties: false });
/** The phases that there are of those a step names; what is wrong with the others is told. */
function candidatesOf(pipeline: Pipeline, registry: Registry, step: PipelineStep, index: number): Candidate[] {
  const { problems, inputs } = pipeline;
  const isList = typeof step.uses !== 'string';
  const found = variantsOf(step).flatMap((variant, position): Candidate[] => {
    const path = ['steps', index, 'uses', ...(isList ? [position] : [])];
    const phase = registry.find(variant.phase);
    if (phase === undefined) {
      const known = didYouMean(variant.phase, registry.names()) || `; known are ${registry.names().join(', ')}`;
      problems.at(isList ? [...path, 'phase'] : path, `there is no phase ${variant.phase}${known}`);
    }
    let condition: Condition = [];
    try {
      condition = parseCondition(variant.if);
    } catch (error) {
      problems.at([...path, 'if'], (error as Error).message);
    }
    for (const { input } of condition)
      if (!Object.hasOwn(inputs.properties, input))
        problems.at([...path, 'if'], `there is no input ${input}${didYouMean(input, Object.keys(inputs.properties))}`);
    return phase === undefined ? [] : [{ phase, condition }];
  });
  const [first, ...rest] = found;
  for (const { phase } of rest)
    if (first !== undefined && !isDeepStrictEqual(phase.output, first.phase.output))
      problems.at(
        ['steps', index, 'uses'],
        `${phase.name} and ${first.phase.name} have other outputs, so they cannot stand for each other`,
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
    if (why !== undefined) problems.at(['inputs', 'properties', name], `the schema of ${name} cannot be used: ${why}`);
  if (unusable !== undefined && alone.every(({ why }) => why === undefined))
    problems.at(['inputs'], `the schema of the inputs cannot be used: ${unusable}`);
  for (const [name, schema] of Object.entries(inputs.properties)) {
    const path = ['inputs', 'properties', name];
    const template = parseTemplate(schema.default, (at, text) => problems.at([...path, 'default', ...at], text));
    for (const { reference, path: at } of references(template))
      if (reference.kind !== 'host' || !Object.hasOwn(HOST_FACTS, reference.name))
        problems.at([...path, 'default', ...at], `a default reads host facts only: ${facts}`);
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

function plannedStep(
  { defaults }: Pipeline,
  step: PipelineStep,
  phase: AnyPhase,
  needs: Needs,
  template: Template,
): PlannedStep {
  const retry = { ...DEFAULT_RETRY, ...defaults.retry, ...step.retry };
  const read = references(template).flatMap(({ reference }) => (reference.kind === 'output' ? [reference.step] : []));
  return {
    id: step.id,
    phase,
    needs: needs.get(step.id) ?? [],
    reads: [...new Set(read)],
    with: template,
    timeoutMs: durationMs(step.timeout ?? defaults.timeout ?? DEFAULT_TIMEOUT),
    retry: {
      attempts: retry.attempts,
      initialMs: durationMs(retry.initial),
      factor: retry.factor,
      capMs: durationMs(retry.cap),
    },
  };
}

interface StepCheck {
  pipeline: Pipeline;
  needs: Needs;
  phaseOf: ReadonlyMap<string, AnyPhase | undefined>;
  gates: Readonly<Record<string, Schema>>;
  step: PipelineStep;
  phase: AnyPhase;
  /** Phases that the step may use instead: an input that one of them takes is no mistake. */
  others: readonly AnyPhase[];
  template: Template;
  path: Path;
}

function checkInputs(check: StepCheck): void {
  const { pipeline, step, phase, others, path } = check;
  const template = forPhase(check.template, phase, others);
  const properties = phase.input.properties ?? {};
  const given = template.kind === 'map' ? template.entries : [];
  for (const [name, value] of given) {
    const schema = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (schema === undefined) {
      const meant = didYouMean(name, Object.keys(properties));
      pipeline.problems.atKey(path, name, `phase ${phase.name} has no input ${name}${meant}`);
    } else if (references(value).length === 0) {
      const literal = evaluate(value, () => undefined);
      if (literal === undefined) continue; // a hole that could not be parsed, and was reported
      for (const violation of violations(schema, revealed(literal)))
        pipeline.problems.at([...path, name, ...violation.path], `${name} ${violation.message}`);
    }
  }
  for (const name of phase.input.required ?? [])
    if (!given.some(([key]) => key === name))
      pipeline.problems.at(
        step.with === undefined ? path.slice(0, -1) : path,
        `phase ${phase.name} needs the input ${name}`,
      );
  for (const { reference, path: at, whole } of references(template)) {
    const source = sourceSchema(check, reference, [...path, ...at]);
    const target = at.length === 1 ? properties[String(at[0])] : undefined;
    if (whole && source?.type !== undefined && target?.type !== undefined && !fits(source.type, target.type))
      pipeline.problems.at([...path, ...at], `${at[0]} must be ${target.type}, but this is ${source.type}`);
    if (source?.writeOnly === true && schemaAt(phase.input, at)?.writeOnly !== true)
      pipeline.problems.at(
        [...path, ...at],
        `${at[0]} is not kept secret by phase ${phase.name}, but this is a secret`,
      );
  }
}

/** Without the inputs that only `others` take. */
function forPhase(template: Template, phase: AnyPhase, others: readonly AnyPhase[]): Template {
  if (template.kind !== 'map') return template;
  const takes = ({ input }: AnyPhase, name: string) => Object.hasOwn(input.properties ?? {}, name);
  const isForeign = (name: string) => !takes(phase, name) && others.some((other) => takes(other, name));
  return { kind: 'map', entries: template.entries.filter(([name]) => !isForeign(name)) };
}

/** The schema of what is at `path` in a value, as far as `schema` tells. */
const schemaAt = (schema: Schema, path: Path): Schema | undefined =>
  path.reduce<Schema | undefined>(
    (at, part) => (typeof part === 'number' ? at?.items : at && propertySchema(at, part)),
    schema,
  );

const fits = (source: string, target: string): boolean =>
  source === target || (source === 'integer' && target === 'number');

/** The schema of what `reference` yields; undefined after a problem was reported. */
function sourceSchema(check: StepCheck, reference: Reference, at: Path): Schema | undefined {
  const { pipeline, needs, phaseOf, gates, step } = check;
  const pick = (kind: string, schemas: Readonly<Record<string, Schema>>): Schema | undefined => {
    const found = Object.hasOwn(schemas, reference.name) ? schemas[reference.name] : undefined;
    if (found === undefined) {
      const meant = didYouMean(reference.name, Object.keys(schemas));
      pipeline.problems.at(at, `there is no ${kind} ${reference.name}${meant}`);
    }
    return found;
  };
  if (reference.kind === 'input') return pick('input', pipeline.inputs.properties);
  if (reference.kind === 'host') return pick('host fact', HOST_FACTS);
  if (reference.kind === 'gate') return pick('feature gate', gates);
  if (!phaseOf.has(reference.step)) {
    const meant = didYouMean(reference.step, [...phaseOf.keys()]);
    pipeline.problems.at(at, `there is no step ${reference.step}${meant}`);
    return undefined;
  }
  if (!isAfter(needs, step.id, reference.step)) {
    pipeline.problems.at(at, `${step.id} does not come after ${reference.step}: add it to needs`);
    return undefined;
  }
  const phase = phaseOf.get(reference.step);
  return phase === undefined ? undefined : pick(`output of ${phase.name} named`, phase.output.properties ?? {});
}

/** Two steps that write one path must be ordered. Where each writer comes after the one before it, all of them are in order. */
function checkWriters(pipeline: Pipeline, needs: Needs, candidates: readonly Candidate[][]): void {
  const indexOf = new Map(pipeline.steps.map(({ id }, index) => [id, index]));
  const last = new Map<string, string>();
  for (const id of orderOf(needs)) {
    const index = indexOf.get(id) ?? 0;
    for (const path of pathsOf(candidates[index] ?? [], pipeline.steps[index])) {
      const before = last.get(path);
      last.set(path, id);
      if (before === undefined || isAfter(needs, id, before)) continue;
      const [first = '', second = ''] = [before, id].sort((a, b) => (indexOf.get(a) ?? 0) - (indexOf.get(b) ?? 0));
      pipeline.problems.at(
        ['steps', indexOf.get(second) ?? 0, 'id'],
        `${first} and ${second} both write ${path}, in no certain order: add one to the needs of the other`,
      );
    }
  }
}

/** The paths that a step writes, as far as they are known before anybody gives a value. */
function pathsOf(candidates: readonly Candidate[], step: PipelineStep | undefined): Set<string> {
  const literals = Object.entries(step?.with ?? {}).filter(([, value]) => !JSON.stringify(value).includes('${{'));
  return new Set(
    candidates.flatMap(({ phase }) => {
      const properties = Object.entries(phase.input.properties ?? {});
      const defaults = properties.filter(([name]) => !Object.hasOwn(step?.with ?? {}, name));
      const known = Object.fromEntries([...defaults.map(([name, schema]) => [name, schema.default]), ...literals]);
      return phase.effects.flatMap((effect) => (effect.kind === 'path' ? (filled(effect.path, known) ?? []) : []));
    }),
  );
}
