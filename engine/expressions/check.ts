/** Checks the expressions of a pipeline: the values they read exist, and the result has the type of its place. */

import type { Path } from '../documents/problems.ts';
import { propertySchema, type Schema } from '../sdk/schema.ts';
import type { Cel } from './cel.ts';
import { jsonType } from './cel-types.ts';
import { type Condition, conditionReads } from './conditions.ts';
import { referenceText } from './references.ts';
import { guardAdvice, referencedValue, type Scope } from './scope.ts';
import { type Expression, expressionsIn, type PlacedExpression, type Template } from './template.ts';

/** What an expression results in, as far as schemas describe it. */
interface ExpressionType {
  type: Schema['type'];
  isSecret: boolean;
}

/** The type of an expression. Returns undefined after reporting a problem. */
function typeOf(scope: Scope, expression: Expression, at: Path): ExpressionType | undefined {
  if (expression.kind === 'cel') return typeOfCel(scope, expression, at);
  const value = referencedValue(scope, expression, at);
  if (value === undefined) return undefined;
  if (value.isOfStep === true && !scope.present.includes(referenceText(expression))) {
    scope.problems.at(at, guardAdvice(expression, value), 'unguarded');
    return undefined;
  }
  return { type: value.schema.type, isSecret: value.schema.writeOnly === true };
}

function typeOfCel(scope: Scope, cel: Cel, at: Path): ExpressionType | undefined {
  const { problems, present } = scope;
  const values = cel.sites.map(({ reference, mode, isGuarded }) => {
    const value = referencedValue(scope, reference, at);
    if (value?.absent === undefined || mode !== 'read' || isGuarded) return value;
    if (present.includes(referenceText(reference))) return value;
    problems.at(at, guardAdvice(reference, value), 'unguarded');
    return undefined;
  });
  if (values.includes(undefined)) return undefined;
  let type: string;
  try {
    type = cel.check(values.map((value) => value?.schema));
  } catch (error) {
    problems.at(at, `${cel.text}: ${(error as Error).message}`, 'expression');
    return undefined;
  }
  const isSecret = cel.sites.some(({ mode }, index) => mode !== 'has' && holdsSecret(values[index]?.schema));
  return { type: jsonType(type), isSecret };
}

/** A condition is a boolean. It reads no secret, because everyone sees whether a step was skipped. */
export function checkCondition(scope: Scope, condition: Condition, at: Path): void {
  if (condition.kind === 'presence') {
    for (const reference of conditionReads(condition)) referencedValue(scope, reference, at);
    return;
  }
  const result = typeOfCel(scope, condition, at);
  if (result === undefined) return;
  if (result.type !== 'boolean' && result.type !== undefined)
    scope.problems.at(at, `a condition must be a boolean, but this expression is of type ${result.type}`, 'wrong-type');
  if (result.isSecret)
    scope.problems.at(at, 'a condition cannot read a secret: use has() to test whether it has a value', 'secret-shown');
}

/** What the values of a template are for. */
export interface TemplateTarget {
  /** Schema of the whole value. */
  schema: Schema;
  path: Path;
  /** Why a value that is not marked `writeOnly` must not hold a secret. */
  exposure: string;
}

/** Checks each expression of `template` against the schema of its place. */
export function checkTemplate(scope: Scope, template: Template, target: TemplateTarget): void {
  for (const placed of expressionsIn(template)) checkPlaced(scope, placed, target);
}

function checkPlaced(scope: Scope, { expression, path, isWhole }: PlacedExpression, target: TemplateTarget): void {
  const at = [...target.path, ...path];
  const result = typeOf(scope, expression, at);
  if (result === undefined) return;
  const expected = schemaAt(target.schema, path);
  const type = isWhole ? result.type : 'string';
  const report = (message: string, rule: string) => scope.problems.at(at, message, rule);
  if (type !== undefined && expected?.type !== undefined && !fits(type, expected.type))
    report(`${path.join('.')} must be of type ${expected.type}, but this expression is of type ${type}`, 'wrong-type');
  if (!result.isSecret) return;
  if (isWhole && expression.kind === 'cel' && type !== 'string' && type !== undefined)
    report(`an expression that reads a secret must be of type string, but this one is of type ${type}`, 'wrong-type');
  if (expected?.writeOnly !== true) report(`${path[0]} cannot take a secret: ${target.exposure}`, 'secret-shown');
}

const fits = (source: string, target: string): boolean =>
  source === target || (source === 'integer' && target === 'number');

/** The schema of the value at `path`, as far as `schema` describes it. */
const schemaAt = (schema: Schema, path: Path): Schema | undefined =>
  path.reduce<Schema | undefined>(
    (at, part) => (typeof part === 'number' ? at?.items : at && propertySchema(at, part)),
    schema,
  );

const holdsSecret = (schema: Schema | undefined): boolean =>
  schema !== undefined &&
  (schema.writeOnly === true || holdsSecret(schema.items) || Object.values(schema.properties ?? {}).some(holdsSecret));
