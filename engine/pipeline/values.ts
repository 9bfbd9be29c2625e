/** The values that expressions read during a run. They decide the inputs of steps, conditions and outputs. */

import { violations } from '../documents/validate.ts';
import { holds } from '../expressions/conditions.ts';
import { type Lookup, type Position, type Reference, UNKNOWN } from '../expressions/references.ts';
import { evaluate, hasUnknown, type Template } from '../expressions/template.ts';
import { fail } from '../sdk/errors.ts';
import type { HostFacts } from '../sdk/ports.ts';
import { wrapSecrets } from '../sdk/schema.ts';
import { revealSecrets } from '../sdk/secret.ts';
import type { StepStatus } from '../sdk/step-status.ts';
import { hostFact } from './inputs.ts';
import type { PlannedStep } from './planned-step.ts';

/** What a run has produced so far. */
export interface RunValues {
  outputs: ReadonlyMap<string, unknown>;
  statuses?: ReadonlyMap<string, StepStatus>;
  /** How the run ended, once it has. */
  run?: Readonly<Record<string, unknown>>;
  /** In a dry run, values that only a real run can produce are unknown. */
  isDry?: boolean;
}

/** The part of a plan that has values before the run. */
export interface PlanValues {
  inputs: Readonly<Record<string, unknown>>;
  host: HostFacts;
  gates?: Readonly<Record<string, boolean>>;
  steps?: readonly PlannedStep[];
}

/**
 * The value of a reference; without `values`, its value before the run. In a dry run, a bare reference to an output
 * gets the phase's stand-in, but an expression gets `UNKNOWN`.
 */
export function lookUp(
  plan: PlanValues,
  values: RunValues | undefined,
  reference: Reference,
  position: Position = 'within',
): unknown {
  const isUncertain = values?.isDry === true && position === 'within';
  switch (reference.kind) {
    case 'input':
      return plan.inputs[reference.name];
    case 'host':
      return hostFact(plan.host, reference.name);
    case 'gate':
      return plan.gates?.[reference.name];
    case 'run':
      if (values?.run === undefined || isUncertain) return UNKNOWN;
      return values.run[reference.name];
    case 'wave': // only fleets have waves
      return undefined;
    default: {
      const { step } = reference;
      const status = values?.statuses?.get(step);
      if (values === undefined || status === 'undecided') return UNKNOWN;
      if (reference.kind === 'status') return status;
      if (isUncertain && hasStandIn(plan.steps, reference)) return UNKNOWN;
      return (values.outputs.get(step) as Record<string, unknown> | undefined)?.[reference.name];
    }
  }
}

const hasStandIn = (steps: PlanValues['steps'] = [], { step, name }: Extract<Reference, { kind: 'output' }>): boolean =>
  steps.find(({ id }) => id === step)?.phase.output.properties?.[name]?.['x-known'] === 'after-run';

const lookupIn =
  (plan: PlanValues, values: RunValues): Lookup =>
  (reference, position) =>
    lookUp(plan, values, reference, position);

/**
 * The input of one step, ready for its phase: with defaults, and secrets wrapped. Undefined if a dry run does not know
 * it. Throws E_INPUT if the phase does not accept it, or an expression has no value.
 */
export function inputOf(
  plan: PlanValues,
  { id, phase, with: template }: PlannedStep,
  values: RunValues,
): object | undefined {
  const input = orInputError(`step ${id}`, () => evaluate(template, lookupIn(plan, values)));
  if (hasUnknown(input)) return undefined;
  const plain = revealSecrets(input);
  const problems = violations(phase.input, plain).map(({ path, message }) => `${path.join('.')} ${message}`.trim());
  if (problems.length > 0) throw fail('E_INPUT', { problems: problems.map((problem) => `${phase.name}: ${problem}`) });
  return wrapSecrets(phase.input, plain) as object; // the input of every phase is an object
}

/**
 * The outputs of a pipeline. A dry run omits those that only a real run can produce. Throws E_INPUT if one has no
 * value.
 */
export function outputsOf(plan: PlanValues, template: Template, values: RunValues): unknown {
  const entries = template.kind === 'map' ? template.entries : [];
  const outputs = entries.map(
    ([name, entry]) => [name, orInputError(`outputs: ${name}`, () => evaluate(entry, lookupIn(plan, values)))] as const,
  );
  return Object.fromEntries(outputs.filter(([, value]) => value !== undefined && !hasUnknown(value)));
}

/**
 * Whether the condition of a step holds. Undefined if a dry run does not know. Throws E_INPUT if the condition has no
 * value.
 */
export function shouldRun(
  plan: PlanValues,
  { id, if: condition }: PlannedStep,
  values: RunValues,
): boolean | undefined {
  if (condition === undefined) return true;
  // `within`: a condition must not decide by a stand-in.
  const value = orInputError(`step ${id}`, () => holds(condition, (reference) => lookUp(plan, values, reference)));
  return value === UNKNOWN ? undefined : value;
}

function orInputError<T>(subject: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw fail('E_INPUT', { problems: [`${subject}: ${(error as Error).message}`] });
  }
}
