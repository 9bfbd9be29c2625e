/** A pipeline with environments laid over it: one value, checked as if it had been written so, that knows where each part was written. */

import { Problems } from '../documents/problems.ts';
import { type Violation, violations } from '../documents/validate.ts';
import type { Pipeline } from '../pipeline/load.ts';
import { pipelineOf } from '../pipeline/load.ts';
import type { ApplyPatch } from '../sdk/json-patch.ts';
import type { HostFacts } from '../sdk/ports.ts';
import type { Schema } from '../sdk/schema.ts';
import { didYouMean } from '../sdk/text.ts';
import type { Environment, Written } from './load.ts';
import { matches } from './match.ts';
import { patched } from './patches.ts';
import { withNeeds } from './steps.ts';
import { type Mapping, merged, partOf, plainOf, type Tracked, TrackedLocator, withEntry } from './tracked.ts';

export interface Resolved {
  pipeline: Pipeline;
  /** The same, with the place of each part. */
  tracked: Tracked;
  /** The same as a document. */
  plain: unknown;
}

/** Of the parts that are for some machines only. */
export type IsWanted = (part: Tracked) => boolean;

/** Knows RFC 6902 where an environment makes use of it. */
export async function patcherFor(environments: readonly Environment[]): Promise<ApplyPatch | undefined> {
  const isUsed = environments.some(({ tracked }) => JSON.stringify(plainOf(tracked)).includes('"jsonPatch"'));
  return isUsed ? (await import('rfc6902')).applyPatch : undefined;
}

/** E_PIPELINE with every problem, of whichever file. */
export function resolve(
  base: Written,
  environments: readonly Environment[],
  applyPatch: ApplyPatch | undefined,
  isWanted: IsWanted = () => false,
): Resolved {
  const problems = new Problems(new TrackedLocator(base.tracked));
  let tracked = explicit(base.tracked);
  for (const environment of environments)
    for (const layer of layersOf(environment.tracked, isWanted)) {
      for (const patch of itemsOf(partOf(layer, 'patches')))
        tracked = patched(tracked, patch, { problems, applyPatch });
      tracked = withInputs(tracked, partOf(layer, 'inputs'), problems);
    }
  problems.moveTo(new TrackedLocator(tracked));
  const origin = {
    file: base.file,
    digest: base.digest,
    environments: environments.map(({ name, digest }) => ({ name, digest })),
  };
  const plain = plainOf(tracked);
  return { pipeline: pipelineOf(plain, problems, origin), tracked, plain };
}

const itemsOf = (tracked: Tracked | undefined): readonly Tracked[] => (tracked?.kind === 'list' ? tracked.items : []);

/** What an environment says for every machine, and then what it says for some. */
const layersOf = (environment: Tracked, isWanted: IsWanted): readonly Tracked[] => [
  environment,
  ...hostsOf(environment).filter(isWanted),
];

/** The parts of an environment that are for some machines only. */
export const hostsOf = (environment: Tracked): readonly Tracked[] => itemsOf(partOf(environment, 'hosts'));

/** Wants the parts that are for this machine. */
export const isFor =
  (host: HostFacts): IsWanted =>
  (part) =>
    matches(plainOf(partOf(part, 'match') ?? part), host);

function explicit(pipeline: Tracked): Tracked {
  const steps = partOf(pipeline, 'steps');
  if (pipeline.kind !== 'map' || steps?.kind !== 'list') return pipeline;
  return withEntry(pipeline, 'steps', withNeeds(steps));
}

/** A value for an input is another default for it. */
function withInputs(pipeline: Tracked, given: Tracked | undefined, problems: Problems): Tracked {
  const inputs = partOf(pipeline, 'inputs');
  const properties = partOf(inputs, 'properties');
  if (given?.kind !== 'map' || pipeline.kind !== 'map') return pipeline;
  let known: Mapping | undefined = properties?.kind === 'map' ? properties : undefined;
  for (const [name, { key, value }] of given.entries) {
    const input = partOf(known, name);
    if (known === undefined || input?.kind !== 'map') {
      const names = known === undefined ? [] : [...known.entries.keys()];
      problems.atPlace(key, `there is no input ${name}${didYouMean(name, names)}`, 'unknown-input');
      continue;
    }
    checkValue(name, plainOf(input) as Schema, value, problems);
    const patch: Mapping = { kind: 'map', place: value.place, entries: new Map([['default', { key, value }]]) };
    known = withEntry(known, name, merged(input, patch));
  }
  return known === undefined || inputs?.kind !== 'map'
    ? pipeline
    : withEntry(pipeline, 'inputs', withEntry(inputs, 'properties', known));
}

function checkValue(name: string, schema: Schema, value: Tracked, problems: Problems): void {
  const plain = plainOf(value);
  if (plain === null) return;
  if (schema.writeOnly === true) {
    const how = 'leave it out here, and give it with the run';
    problems.atPlace(
      value.place,
      `${name} is a secret, and environments are shown to whoever asks: ${how}`,
      'secret-shown',
    );
    return;
  }
  if (typeof plain === 'string' && plain.includes('${{')) return; // known with the machine
  const locator = new TrackedLocator(value);
  for (const { path, message } of found(schema, plain))
    problems.atPlace(locator.at(path), `${name} ${message}`, 'wrong-type');
}

/** Nothing where the schema itself cannot be used: that is told of the pipeline. */
function found(schema: Schema, value: unknown): Violation[] {
  try {
    return violations(schema, value);
  } catch {
    return [];
  }
}
