/** What is wrong with the expressions of a pipeline: what they read, whether it is there, and what type comes of it. */

import type { Path, Problems } from '../documents/problems.ts';
import type { Cel } from '../expressions/cel.ts';
import { jsonType } from '../expressions/cel-types.ts';
import { type Condition, conditionReads } from '../expressions/conditions.ts';
import { type Reference, referenceText } from '../expressions/references.ts';
import { type Expression, expressions, type Placed, type Template } from '../expressions/template.ts';
import type { AnyPhase } from '../sdk/phase.ts';
import type { HostFacts } from '../sdk/ports.ts';
import { propertySchema, type Schema } from '../sdk/schema.ts';
import { didYouMean } from '../sdk/text.ts';

export const HOST_FACTS: Record<keyof HostFacts, Schema> = {
  name: { type: 'string' },
  privileged: { type: 'boolean' },
  architecture: { type: 'string' },
  distribution: { type: 'string' },
};
const STATUS: Schema = { enum: ['succeeded', 'failed-allowed', 'skipped'] };

/** What can be read at some place of a pipeline. */
export interface Sight {
  problems: Problems;
  inputs: Schema;
  gates: Readonly<Record<string, Schema>>;
  /** What `run.…` has; left out: nothing can read it. */
  run?: Schema;
  /** Left out: no step can be read here. */
  steps?: {
    phaseOf: ReadonlyMap<string, AnyPhase | undefined>;
    /** Why the outputs of a step cannot be read here. */
    unreadable(step: string): string | undefined;
    /** Why a step may have none: `may be skipped`. */
    withoutOutputs(step: string): string | undefined;
  };
  /** References that are certainly there: the step's own condition says so. */
  present: readonly string[];
}

interface Source {
  schema: Schema;
  /** Why there may be no value. */
  absent?: string;
  /** There may be none because a step may not have run: nothing leaves that out silently. */
  isOfStep?: boolean;
}

const UNKNOWN_NAMES: Readonly<Record<string, string>> = {
  input: 'unknown-input',
  'host fact': 'unknown-fact',
  'feature gate': 'unknown-gate',
};

/** What a reference yields; undefined after a problem was reported. */
function sourceOf(sight: Sight, reference: Reference, at: Path): Source | undefined {
  const { problems, inputs, gates, steps, run } = sight;
  const pick = (kind: string, name: string, schemas: Readonly<Record<string, Schema>>): Schema | undefined => {
    const found = Object.hasOwn(schemas, name) ? schemas[name] : undefined;
    if (found === undefined)
      problems.at(
        at,
        `there is no ${kind} ${name}${didYouMean(name, Object.keys(schemas))}`,
        UNKNOWN_NAMES[kind] ?? 'unknown-output',
      );
    return found;
  };
  const always = (schema: Schema | undefined): Source | undefined => (schema === undefined ? undefined : { schema });
  const sometimes = (schema: Schema | undefined, of: Schema, name: string): Source | undefined => {
    if (schema === undefined || of.required?.includes(name) === true) return always(schema);
    return { schema, absent: 'may be left out' };
  };
  switch (reference.kind) {
    case 'input': {
      const schema = pick('input', reference.name, inputs.properties ?? {});
      return schema?.default === undefined ? sometimes(schema, inputs, reference.name) : { schema };
    }
    case 'host':
      return always(pick('host fact', reference.name, HOST_FACTS));
    case 'gate':
      return always(pick('feature gate', reference.name, gates));
    case 'run':
      if (run === undefined) {
        problems.at(at, `run.${reference.name} is only known in finally`, 'not-upstream');
        return undefined;
      }
      return sometimes(pick('fact of the run named', reference.name, run.properties ?? {}), run, reference.name);
    default:
      return sourceOfStep(sight, steps, reference, at, pick);
  }
}

function sourceOfStep(
  { problems }: Sight,
  steps: Sight['steps'],
  reference: Extract<Reference, { kind: 'output' | 'status' }>,
  at: Path,
  pick: (kind: string, name: string, schemas: Readonly<Record<string, Schema>>) => Schema | undefined,
): Source | undefined {
  const { step } = reference;
  if (steps === undefined) {
    problems.at(
      at,
      `${referenceText(reference)} is not known before the run: no step can be read here`,
      'not-upstream',
    );
    return undefined;
  }
  const known = [...steps.phaseOf.keys()];
  const why = steps.phaseOf.has(step) ? steps.unreadable(step) : `there is no step ${step}${didYouMean(step, known)}`;
  if (why !== undefined) {
    problems.at(at, why, steps.phaseOf.has(step) ? 'not-upstream' : 'unknown-step');
    return undefined;
  }
  if (reference.kind === 'status') return { schema: STATUS };
  const phase = steps.phaseOf.get(step);
  if (phase === undefined) return undefined;
  const schema = pick(`output of ${phase.name} named`, reference.name, phase.output.properties ?? {});
  if (schema === undefined) return undefined;
  const absent = steps.withoutOutputs(step);
  if (absent !== undefined) return { schema, absent, isOfStep: true };
  return phase.output.required?.includes(reference.name) === true ? { schema } : { schema, absent: 'may not be there' };
}

/** What an expression gives, as far as its schemas tell. */
export interface Given {
  type: Schema['type'];
  isSecret: boolean;
}

/** Undefined after a problem was reported. */
export function checkExpression(sight: Sight, expression: Expression, at: Path): Given | undefined {
  if (expression.kind === 'cel') return checkCel(sight, expression, at);
  const source = sourceOf(sight, expression, at);
  if (source === undefined) return undefined;
  const text = referenceText(expression);
  if (source.isOfStep === true && !sight.present.includes(text)) {
    sight.problems.at(at, unguarded(expression, source), 'unguarded');
    return undefined;
  }
  return { type: source.schema.type, isSecret: source.schema.writeOnly === true };
}

function checkCel(sight: Sight, cel: Cel, at: Path): Given | undefined {
  const { problems, present } = sight;
  const sources = cel.uses.map((use) => {
    const source = sourceOf(sight, use.reference, at);
    if (source?.absent === undefined || use.how !== 'read' || use.isGuarded) return source;
    if (present.includes(referenceText(use.reference))) return source;
    problems.at(at, unguarded(use.reference, source), 'unguarded');
    return undefined;
  });
  if (sources.includes(undefined)) return undefined;
  let type: string;
  try {
    type = cel.check(sources.map((source) => source?.schema));
  } catch (error) {
    problems.at(at, `${cel.text}: ${(error as Error).message}`, 'expression');
    return undefined;
  }
  const isSecret = cel.uses.some(({ how }, index) => how !== 'has' && holdsSecret(sources[index]?.schema));
  return { type: jsonType(type), isSecret };
}

function unguarded(reference: Reference, { absent, isOfStep }: Source): string {
  const text = referenceText(reference);
  const optional = reference.kind === 'output' ? text.replace('.outputs.', '.?outputs.') : text.replace('.', '.?');
  const subject = isOfStep === true && reference.kind === 'output' ? `step ${reference.step}` : text;
  return `${subject} ${absent}: write ${optional}${isOfStep === true ? '' : '.orValue(…)'}, or guard it with has(${text})`;
}

/** A condition is true or false, and no secret decides what everybody can see. */
export function checkCondition(sight: Sight, condition: Condition, at: Path): void {
  if (condition.kind === 'presence') {
    for (const reference of conditionReads(condition)) sourceOf(sight, reference, at);
    return;
  }
  const given = checkCel(sight, condition, at);
  if (given === undefined) return;
  if (given.type !== 'boolean' && given.type !== undefined)
    sight.problems.at(at, `a condition is true or false, but this is ${given.type}`, 'wrong-type');
  if (given.isSecret)
    sight.problems.at(at, 'a condition cannot read a secret; has() can tell whether there is one', 'secret-shown');
}

/** What is given to whom: each expression of `template` against the schema of its place. `whom` keeps its secrets, or not. */
export function checkTemplate(sight: Sight, template: Template, target: Schema, at: Path, whom: string): void {
  for (const placed of expressions(template)) checkPlaced(sight, placed, target, at, whom);
}

function checkPlaced(sight: Sight, { expression, path, whole }: Placed, target: Schema, at: Path, whom: string): void {
  const given = checkExpression(sight, expression, [...at, ...path]);
  if (given === undefined) return;
  const wanted = schemaAt(target, path);
  const type = whole ? given.type : 'string';
  const problem = (message: string, rule: string) => sight.problems.at([...at, ...path], message, rule);
  if (type !== undefined && wanted?.type !== undefined && !fits(type, wanted.type))
    problem(`${path.join('.')} must be ${wanted.type}, but this is ${type}`, 'wrong-type');
  if (!given.isSecret) return;
  if (whole && expression.kind === 'cel' && type !== 'string' && type !== undefined)
    problem(`what comes of a secret is a text, but this is ${type}`, 'wrong-type');
  if (wanted?.writeOnly !== true)
    problem(`${path[0]} is not kept secret by ${whom}, but this is a secret`, 'secret-shown');
}

const fits = (source: string, target: string): boolean =>
  source === target || (source === 'integer' && target === 'number');

/** The schema of what is at `path` in a value, as far as `schema` tells. */
const schemaAt = (schema: Schema, path: Path): Schema | undefined =>
  path.reduce<Schema | undefined>(
    (at, part) => (typeof part === 'number' ? at?.items : at && propertySchema(at, part)),
    schema,
  );

const holdsSecret = (schema: Schema | undefined): boolean =>
  schema !== undefined &&
  (schema.writeOnly === true || holdsSecret(schema.items) || Object.values(schema.properties ?? {}).some(holdsSecret));
