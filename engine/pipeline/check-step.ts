/** Checks one step: its condition, its retries, and the values of its inputs for each phase that it may use. */
import type { Path } from '../documents/problems.ts';
import { violations } from '../documents/validate.ts';
import { checkCondition, checkTemplate } from '../expressions/check.ts';
import type { Scope } from '../expressions/scope.ts';
import { evaluate, expressionsIn, type Template } from '../expressions/template.ts';
import { errorCodes } from '../sdk/errors.ts';
import type { AnyPhase } from '../sdk/phase.ts';
import type { Schema } from '../sdk/schema.ts';
import { revealSecrets } from '../sdk/secret.ts';
import { didYouMean, nearest } from '../sdk/text.ts';
import { reportSecret } from './literal-secrets.ts';
import type { Pipeline, RetryPolicy } from './load.ts';
import { type CheckedStep, templateFor } from './planned-step.ts';
import { checkReachable, checkVariants } from './reachability.ts';

export function checkStep(pipeline: Pipeline, checked: CheckedStep, scope: Scope): void {
  const { step, path, candidates, condition } = checked;
  checkCondition({ ...scope, present: [] }, condition, [...path, 'if']);
  checkReachable(pipeline.problems, step.id, condition, [...path, 'if']);
  checkVariants(pipeline.problems, candidates, [...path, 'uses']);
  checkRetry(pipeline, step.retry, [...path, 'retry']);
  const isApproval = step.approval !== undefined;
  for (const { phase } of candidates) {
    const template = templateFor(checked.template, phase, candidates);
    const before = pipeline.problems.count;
    checkInputValues(pipeline, checked, phase, template);
    // Another problem, or an input for another phase of the step, may be the reason.
    if (candidates.length === 1 && pipeline.problems.count === before)
      checkAlternatives(pipeline, checked, phase, template);
    checkTemplate(scope, template, {
      schema: phase.input,
      path: [...path, isApproval ? 'approval' : 'with'],
      exposure: isApproval ? 'people see the question' : `phase ${phase.name} does not mark it writeOnly`,
    });
  }
}

/** Reports an unknown error code only if it resembles a known one: plugins have codes of their own. */
export function checkRetry({ problems }: Pipeline, retry: Partial<RetryPolicy> | undefined, at: Path): void {
  retry?.on?.forEach((kind, index) => {
    const isKnown = kind === 'transient' || errorCodes.some((code) => code === kind);
    const similar = isKnown ? undefined : nearest(kind, errorCodes);
    if (similar !== undefined)
      problems.at([...at, 'on', index], `there is no error code ${kind}; did you mean ${similar}?`, 'unknown-error');
  });
}

/** Checks the names of inputs, and the values that are literals. */
function checkInputValues({ problems }: Pipeline, { step, path }: CheckedStep, phase: AnyPhase, template: Template) {
  const at = [...path, 'with'];
  const properties = phase.input.properties ?? {};
  const entries = template.kind === 'map' ? template.entries : [];
  for (const [name, value] of entries) {
    const schema = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (schema === undefined) {
      const advice = didYouMean(name, Object.keys(properties));
      problems.atKey(at, name, `phase ${phase.name} has no input ${name}${advice}`, 'unknown-input');
    } else if (expressionsIn(value).length === 0) checkLiteral(problems, schema, value, [...at, name]);
  }
  for (const name of phase.input.required ?? [])
    if (!entries.some(([key]) => key === name))
      problems.at(step.with === undefined ? path : at, `phase ${phase.name} needs the input ${name}`, 'missing-input');
}

/** Checks which inputs exclude or need each other, as far as no expression decides that. */
function checkAlternatives(
  { problems }: Pipeline,
  { step, path }: CheckedStep,
  { name, input: { properties = {}, allOf = [] } }: AnyPhase,
  template: Template,
): void {
  const at = step.with === undefined ? path : [...path, 'with'];
  const entries = template.kind === 'map' ? template.entries : [];
  for (const rule of allOf) {
    const inputs = namesIn(rule);
    const decisive = entries.filter(([key]) => inputs.has(key));
    if (inputs.size === 0 || decisive.some(([, value]) => expressionsIn(value).length > 0)) continue;
    if (decisive.some(([, value]) => evaluate(value, () => undefined) === undefined)) continue; // a broken placeholder
    const defaults = [...inputs].map((key) => [key, properties[key]?.default] as const);
    const literals = decisive.map(([key, value]) => [key, evaluate(value, () => undefined)] as const);
    const values = Object.fromEntries([...defaults, ...literals].filter(([, value]) => value !== undefined));
    for (const { message } of violations({ type: 'object', allOf: [rule] }, revealSecrets(values)))
      problems.at(at, `phase ${name}: ${message}`, 'exclusive-inputs');
  }
}

/** The inputs that the alternatives of a rule name. */
const namesIn = ({ required = [], properties = {}, anyOf = [], oneOf = [] }: Schema): Set<string> =>
  new Set([...required, ...Object.keys(properties), ...[...anyOf, ...oneOf].flatMap((each) => [...namesIn(each)])]);

function checkLiteral(problems: Pipeline['problems'], schema: Schema, template: Template, at: Path): void {
  const name = String(at.at(-1));
  const literal = evaluate(template, () => undefined);
  if (literal === undefined) return; // a placeholder whose syntax error has been reported
  if (schema.writeOnly === true) {
    reportSecret(problems, name, at);
    return;
  }
  for (const violation of violations(schema, revealSecrets(literal)))
    problems.at([...at, ...violation.path], `${name} ${violation.message}`, 'wrong-type');
}
