/** The values that an expression can read at one place of a pipeline. */

import type { Path, Problems } from '../documents/problems.ts';
import { defined } from '../sdk/fields.ts';
import type { AnyPhase } from '../sdk/phase.ts';
import type { HostFacts } from '../sdk/ports.ts';
import type { Schema } from '../sdk/schema.ts';
import { didYouMean } from '../sdk/text.ts';
import { type Reference, referenceText } from './references.ts';

export const HOST_FACTS: Record<keyof HostFacts, Schema> = {
  name: { type: 'string' },
  privileged: { type: 'boolean' },
  architecture: { type: 'string' },
  distribution: { type: 'string' },
};
const STATUS: Schema = { enum: ['succeeded', 'failed-allowed', 'skipped'] };

export interface Scope {
  problems: Problems;
  inputs: Schema;
  gates: Readonly<Record<string, Schema>>;
  /** Schema of `run.…`. Absent outside of `finally`. */
  run?: Schema;
  /** Absent if no step can be read. */
  steps?: StepScope;
  /** References whose values certainly exist, because the step's own condition says so. */
  present: readonly string[];
}

export interface StepScope {
  phaseOf: ReadonlyMap<string, AnyPhase | undefined>;
  /** Why the outputs of a step cannot be read here, or undefined if they can. */
  unreadable(step: string): string | undefined;
  /** Why a step may have no outputs, such as `may be skipped`. */
  withoutOutputs(step: string): string | undefined;
}

/** The value behind a reference, as far as schemas describe it. */
export interface ReferencedValue {
  schema: Schema;
  /** Why the value may be missing. */
  absent?: string;
  /** The value may be missing because its step may not have run. An expression has to say what happens then. */
  isOfStep?: boolean;
}

type StepReference = Extract<Reference, { kind: 'output' | 'status' }>;

/** Resolves a reference. Returns undefined after reporting a problem. */
export function referencedValue(scope: Scope, reference: Reference, at: Path): ReferencedValue | undefined {
  const { problems, inputs, gates, run } = scope;
  const named = (what: string, schemas: Readonly<Record<string, Schema>>, rule: string) =>
    reference.kind === 'status' ? undefined : lookUpSchema(problems, at, { what, name: reference.name, schemas, rule });
  switch (reference.kind) {
    case 'input': {
      const schema = named('input', inputs.properties ?? {}, 'unknown-input');
      return schema?.default === undefined ? optionalIn(inputs, reference.name, schema) : { schema };
    }
    case 'host':
      return asValue(named('host fact', HOST_FACTS, 'unknown-fact'));
    case 'gate':
      return asValue(named('feature gate', gates, 'unknown-gate'));
    case 'run':
      if (run !== undefined)
        return optionalIn(run, reference.name, named('run value', run.properties ?? {}, 'unknown-output'));
      problems.at(at, `run.${reference.name} can only be read in finally`, 'not-upstream');
      return undefined;
    case 'wave':
      throw new Error(`${referenceText(reference)} cannot be in a pipeline`); // its syntax does not have that name
    default:
      return stepValue(scope, reference, at);
  }
}

interface SchemaLookup {
  what: string;
  name: string;
  schemas: Readonly<Record<string, Schema>>;
  rule: string;
}

function lookUpSchema(problems: Problems, at: Path, { what, name, schemas, rule }: SchemaLookup): Schema | undefined {
  const found = Object.hasOwn(schemas, name) ? schemas[name] : undefined;
  if (found === undefined)
    problems.at(at, `there is no ${what} ${name}${didYouMean(name, Object.keys(schemas))}`, rule);
  return found;
}

const asValue = (schema: Schema | undefined): ReferencedValue | undefined =>
  schema === undefined ? undefined : { schema };

/** A property of `object`, which may be missing unless `object` requires it. */
function optionalIn(object: Schema, name: string, schema: Schema | undefined): ReferencedValue | undefined {
  if (schema === undefined || object.required?.includes(name) === true) return asValue(schema);
  return { schema, absent: 'may have no value' };
}

function stepValue({ problems, steps }: Scope, reference: StepReference, at: Path): ReferencedValue | undefined {
  const { step } = reference;
  if (steps === undefined) {
    problems.at(at, `${referenceText(reference)} cannot be read here: no step has run yet`, 'not-upstream');
    return undefined;
  }
  if (!steps.phaseOf.has(step)) {
    problems.at(at, `there is no step ${step}${didYouMean(step, [...steps.phaseOf.keys()])}`, 'unknown-step');
    return undefined;
  }
  const reason = steps.unreadable(step);
  if (reason !== undefined) {
    problems.at(at, reason, 'not-upstream');
    return undefined;
  }
  if (reference.kind === 'status') return { schema: STATUS };
  const phase = steps.phaseOf.get(step);
  return phase && outputValue(problems, phase, reference.name, steps.withoutOutputs(step), at);
}

function outputValue(problems: Problems, phase: AnyPhase, name: string, absent: string | undefined, at: Path) {
  const schemas = phase.output.properties ?? {};
  const schema = lookUpSchema(problems, at, {
    what: `output of ${phase.name} named`,
    name,
    schemas,
    rule: 'unknown-output',
  });
  if (schema === undefined) return undefined;
  if (absent !== undefined) return { schema, absent, isOfStep: true };
  return defined({ schema, absent: phase.output.required?.includes(name) === true ? undefined : 'may have no value' });
}

/** How to read a value that may be missing. */
export function guardAdvice(reference: Reference, { absent, isOfStep }: ReferencedValue): string {
  const text = referenceText(reference);
  const optional = reference.kind === 'output' ? text.replace('.outputs.', '.?outputs.') : text.replace('.', '.?');
  const subject = isOfStep === true && reference.kind === 'output' ? `step ${reference.step}` : text;
  const fallback = isOfStep === true ? '' : '.orValue(…)';
  return `${subject} ${absent}: write ${optional}${fallback}, or guard it with has(${text})`;
}
