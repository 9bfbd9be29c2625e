/**
 * Applies environments to a pipeline. The result is validated like any other pipeline, and knows the place of each
 * value.
 */

import { Problems } from '../documents/problems.ts';
import { type Violation, violations } from '../documents/validate.ts';
import { type Pipeline, pipelineOf } from '../pipeline/load.ts';
import type { ApplyPatch } from '../sdk/json-patch.ts';
import type { HostFacts } from '../sdk/ports.ts';
import type { Schema } from '../sdk/schema.ts';
import { didYouMean } from '../sdk/text.ts';
import type { Environment, SourceDocument } from './load.ts';
import { matches } from './match.ts';
import { applyEnvironmentPatch, type PatchContext } from './patches.ts';
import { withNeeds } from './steps.ts';
import { type Mapping, mergePatch, partOf, plainOf, TrackedLocator, type TrackedValue, withEntry } from './tracked.ts';

export interface ResolvedPipeline {
  pipeline: Pipeline;
  /** The pipeline with the place of each value. */
  tracked: TrackedValue;
  /** The pipeline as plain data. */
  plain: unknown;
  /** The files of the pipeline, without those of environments. */
  files: readonly string[];
}

/** Selects parts that apply to some machines only. */
export type PartFilter = (part: TrackedValue) => boolean;

/** Loads the library for RFC 6902 if one of the documents needs it. */
export async function loadJsonPatch(documents: readonly { tracked: TrackedValue }[]): Promise<ApplyPatch | undefined> {
  const isUsed = documents.some(({ tracked }) => JSON.stringify(plainOf(tracked)).includes('"jsonPatch"'));
  return isUsed ? (await import('rfc6902')).applyPatch : undefined;
}

/** Applies environments in order. Throws E_PIPELINE with every problem of every file. */
export function resolvePipeline(
  base: SourceDocument,
  environments: readonly Environment[],
  applyPatch: ApplyPatch | undefined,
  applies: PartFilter = () => false,
): ResolvedPipeline {
  const problems = new Problems(new TrackedLocator(base.tracked));
  let tracked = withExplicitNeeds(base.tracked);
  for (const environment of environments)
    for (const layer of layersOf(environment.tracked, applies))
      tracked = applyLayer(tracked, layer, { problems, applyPatch });
  problems.useLocator(new TrackedLocator(tracked));
  const origin = {
    file: base.file,
    digest: base.digest,
    environments: environments.map(({ name, digest }) => ({ name, digest })),
  };
  const plain = plainOf(tracked);
  return { pipeline: pipelineOf(plain, problems, origin), tracked, plain, files: base.files };
}

/** Applies the patches and inputs of an environment, of its part for some machines, or of a pipeline that extends. */
export function applyLayer(pipeline: TrackedValue, layer: TrackedValue, context: PatchContext): TrackedValue {
  let tracked = pipeline;
  for (const patch of itemsOf(partOf(layer, 'patches'))) tracked = applyEnvironmentPatch(tracked, patch, context);
  return withInputs(tracked, partOf(layer, 'inputs'), context.problems);
}

const itemsOf = (tracked: TrackedValue | undefined): readonly TrackedValue[] =>
  tracked?.kind === 'list' ? tracked.items : [];

/** The part of an environment for every machine, then the parts for some machines. */
const layersOf = (environment: TrackedValue, applies: PartFilter): readonly TrackedValue[] => [
  environment,
  ...hostParts(environment).filter(applies),
];

/** The parts of an environment that apply to some machines only. */
export const hostParts = (environment: TrackedValue): readonly TrackedValue[] => itemsOf(partOf(environment, 'hosts'));

/** Selects the parts that apply to this machine. */
export const partsFor =
  (host: HostFacts): PartFilter =>
  (part) =>
    matches(plainOf(partOf(part, 'match') ?? part), host);

export function withExplicitNeeds(pipeline: TrackedValue): TrackedValue {
  const steps = partOf(pipeline, 'steps');
  if (pipeline.kind !== 'map' || steps?.kind !== 'list') return pipeline;
  return withEntry(pipeline, 'steps', withNeeds(steps));
}

/** The values for inputs become their defaults. */
function withInputs(pipeline: TrackedValue, values: TrackedValue | undefined, problems: Problems): TrackedValue {
  const inputs = partOf(pipeline, 'inputs');
  const properties = partOf(inputs, 'properties');
  if (values?.kind !== 'map' || pipeline.kind !== 'map') return pipeline;
  let known: Mapping | undefined = properties?.kind === 'map' ? properties : undefined;
  for (const [name, { key, value }] of values.entries) {
    const input = partOf(known, name);
    if (known === undefined || input?.kind !== 'map') {
      const names = known === undefined ? [] : [...known.entries.keys()];
      problems.atPlace(key, `there is no input ${name}${didYouMean(name, names)}`, 'unknown-input');
      continue;
    }
    checkValue(name, plainOf(input) as Schema, value, problems);
    const patch: Mapping = { kind: 'map', place: value.place, entries: new Map([['default', { key, value }]]) };
    known = withEntry(known, name, mergePatch(input, patch));
  }
  return known === undefined || inputs?.kind !== 'map'
    ? pipeline
    : withEntry(pipeline, 'inputs', withEntry(inputs, 'properties', known));
}

function checkValue(name: string, schema: Schema, value: TrackedValue, problems: Problems): void {
  const plain = plainOf(value);
  if (plain === null) return;
  if (schema.writeOnly === true) {
    const message = `${name} is a secret, and must not be written in an environment: pass it with the run`;
    problems.atPlace(value.place, message, 'secret-shown');
    return;
  }
  if (typeof plain === 'string' && plain.includes('${{')) return; // its value depends on the machine
  const locator = new TrackedLocator(value);
  for (const { path, message } of inputViolations(schema, plain))
    problems.atPlace(locator.at(path), `${name} ${message}`, 'wrong-type');
}

/** Nothing if the schema cannot be used: the check of the pipeline reports that. */
function inputViolations(schema: Schema, value: unknown): Violation[] {
  try {
    return violations(schema, value);
  } catch {
    return [];
  }
}
