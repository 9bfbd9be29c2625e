/** A pipeline and what the user gave → a plan: checked steps that can run, and the input of each when its time has come. */

import { isDuration } from '../documents/durations.ts';
import type { Path } from '../documents/problems.ts';
import { type Violation, violations } from '../documents/validate.ts';
import { holds } from '../expressions/conditions.ts';
import { type Lookup, type Reference, UNKNOWN } from '../expressions/references.ts';
import { evaluate, hasUnknown, parseTemplate, references, type Template } from '../expressions/template.ts';
import { fail } from '../sdk/errors.ts';
import type { HostFacts } from '../sdk/ports.ts';
import { wrapSecrets } from '../sdk/schema.ts';
import { revealSecrets } from '../sdk/secret.ts';
import type { StepStatus } from '../sdk/step-status.ts';
import { checkedPipeline, closed, type PlannedStep } from './check.ts';
import { GATES_INPUT, type PlannedGates, plannedGates } from './gates.ts';
import type { AppliedEnvironment, Pipeline } from './load.ts';
import type { Registry } from './registry.ts';
import { SKIP_INPUT, withoutSkipped } from './skip.ts';
import { inputOfLimit, limitsIn } from './time-limits.ts';

export { closed };

export interface Source {
  kind: 'pipeline' | 'phase';
  /** The pipeline's file, or the phase's name. */
  name: string;
  /** sha256 of the pipeline's text; of a phase, of its schemas. */
  digest: string;
  /** What was laid over the pipeline; left out where nothing was. */
  environments?: readonly AppliedEnvironment[];
}

export interface Plan {
  pipeline: string;
  /** What it was made of: the same source and the same inputs are the same run. */
  source: Source;
  steps: PlannedStep[];
  /** What runs when they have ended, however they did; `budgetMs` for all of it. */
  finally?: { steps: PlannedStep[]; budgetMs: number };
  /** What it gives when it has succeeded. */
  outputs?: Template;
  /** Values of the pipeline's inputs; secrets are `Secret`s. */
  inputs: Readonly<Record<string, unknown>>;
  host: HostFacts;
  /** Values of the feature gates; left out where no step reads one. */
  gates?: PlannedGates['gates'];
  /** What is worth knowing of the values that were given. */
  notes: readonly string[];
}

/**
 * Binds the user's values. E_PIPELINE as `checkPipeline`, or E_INPUT with every problem of the values; `named` says who gave the
 * value of an input, and left out it was a flag.
 */
export function planOf(
  pipeline: Pipeline,
  registry: Registry,
  given: Readonly<Record<string, unknown>>,
  host: HostFacts,
  named: (input: string) => string = flagName,
): Plan {
  const inputs = withHostDefaults(pipeline, given, host);
  const problems: string[] = [];
  const planned = plannedGates(registry, inputs[GATES_INPUT]);
  const before: Pick<Plan, 'inputs' | 'host' | 'gates'> = { inputs, host, gates: planned.gates };
  const {
    steps: checked,
    finally: last,
    outputs,
  } = checkedPipeline(pipeline, registry, () => {
    const found = violations(closed(pipeline.inputs), inputs); // it fills in their defaults, too
    problems.push(...found.map((violation) => flagProblem(violation, undefined, named)));
    return (reference) => lookUp(before, undefined, reference);
  });
  const { steps, problems: skipProblems } = withoutSkipped(checked, inputs[SKIP_INPUT], registry);
  problems.push(...planned.problems.map((problem) => `${named(GATES_INPUT)}: ${problem}`));
  problems.push(...skipProblems.map((problem) => `${named(SKIP_INPUT)}: ${problem}`));
  problems.push(...wrongLimits(pipeline, inputs).map((input) => `${named(input)} must be a time such as 30s or 5m`));
  const plan = {
    pipeline: pipeline.metadata.name,
    source: { kind: 'pipeline' as const, name: pipeline.file, digest: pipeline.digest },
    steps,
    ...(outputs === undefined ? {} : { outputs }),
    ...(last === undefined ? {} : { finally: last }),
    inputs: wrapSecrets(pipeline.inputs, inputs) as Record<string, unknown>, // an object stays an object
    ...{ host, gates: planned.gates, notes: planned.notes },
  };
  problems.push(...[...steps, ...(last?.steps ?? [])].flatMap((step) => unmet(plan, step, named)));
  if (problems.length > 0) throw fail('E_INPUT', { problems: [...new Set(problems)] });
  return plan;
}

/** `given`, with defaults that are holes (`${{ host.name }}`) filled. */
function withHostDefaults(pipeline: Pipeline, given: Readonly<Record<string, unknown>>, host: HostFacts) {
  const filled: Record<string, unknown> = { ...given };
  for (const name of Object.keys(pipeline.inputs.properties)) {
    const value = filled[name] ?? hostDefault(pipeline, name, host);
    if (value !== undefined) filled[name] = value;
  }
  return filled;
}

/** The default of an input, which may read host facts. */
export function hostDefault(pipeline: Pipeline, name: string, host: HostFacts): unknown {
  const path = ['inputs', 'properties', name, 'default'];
  const report = (at: Path, message: string) => pipeline.problems.at([...path, ...at], message, 'expression');
  const template = parseTemplate(pipeline.inputs.properties[name]?.default, report);
  return orElse(
    () => evaluate(template, (reference) => (reference.kind === 'host' ? factOf(host, reference.name) : undefined)),
    (error) => report([], error.message),
  );
}

const factOf = (host: HostFacts, name: string): unknown =>
  Object.hasOwn(host, name) ? host[name as keyof HostFacts] : undefined;

function orElse<T>(act: () => T, caught: (error: Error) => void): T | undefined {
  try {
    return act();
  } catch (error) {
    caught(error as Error);
    return undefined;
  }
}

/** Inputs that are time limits, and whose values are no times. */
function wrongLimits({ steps, finally: last = [], defaults }: Pipeline, inputs: Readonly<Record<string, unknown>>) {
  const limits = [defaults, ...steps, ...last].flatMap(({ timeout }) => limitsIn(timeout));
  const names = new Set(limits.flatMap(({ limit }) => inputOfLimit(limit) ?? []));
  return [...names].filter((input) => !isDuration(inputs[input]));
}

/** What a phase's schema finds wrong with the inputs that are known before the run. */
function unmet(plan: Plan, step: PlannedStep, named: (input: string) => string): string[] {
  const problems: string[] = [];
  const known: Record<string, unknown> = {};
  const later = new Set<string>();
  const ofStep = (error: Error) => problems.push(`step ${step.id}: ${error.message}`);
  const lookup: Lookup = (reference) => lookUp(plan, undefined, reference);
  if (step.if !== undefined) {
    const condition = step.if;
    if (orElse(() => holds(condition, lookup), ofStep) !== true) return problems; // it may never take them
  }
  const entries: [string, Template][] = step.with.kind === 'map' ? step.with.entries : [];
  if (!entries.some(([, template]) => references(template).some(({ reference }) => isBefore(reference))))
    return problems;
  for (const [name, template] of entries) {
    const value = orElse(() => evaluate(template, lookup), ofStep);
    if (hasUnknown(value)) later.add(name);
    else if (value !== undefined) known[name] = revealSecrets(value);
  }
  if (problems.length > 0) return problems;
  return violations(step.phase.input, known)
    .filter(({ path, missing }) => !later.has(String(path[0] ?? missing ?? '')))
    .map((violation) => {
      const name = String(violation.path[0] ?? violation.missing ?? '');
      if (name === '') return violation.message;
      const entry = entries.find(([key]) => key === name)?.[1];
      const input = entry?.kind === 'hole' && entry.expression.kind === 'input' ? entry.expression.name : undefined;
      return input === undefined
        ? `step ${step.id}: ${name} ${violation.message}`
        : flagProblem(violation, input, named);
    });
}

/** Its value comes from the user or the machine, and so is known before the run. */
const isBefore = ({ kind }: Reference): boolean => kind === 'input' || kind === 'host' || kind === 'gate';

/** A violation of the value of an input; `input` where that is known under another name. */
export function flagProblem({ path, key, missing, message }: Violation, input?: string, named = flagName): string {
  const name = input ?? path[0] ?? key ?? missing;
  if (name === undefined) return message;
  return missing === undefined ? `${named(String(name))} ${message}` : `${named(String(name))} is missing`;
}

/** `discoveryTokenCaCertHash` → `--discovery-token-ca-cert-hash`: an input is named for its flag. */
export const flagName = (input: string): string => `--${kebab(input)}`;
export const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** How far a run has come. */
export interface Told {
  outputs: ReadonlyMap<string, unknown>;
  statuses?: ReadonlyMap<string, StepStatus>;
  /** How it has ended, where it has. */
  run?: Readonly<Record<string, unknown>>;
  /** What only a run can show is not known. */
  isDry?: boolean;
}

/** The value a reference has; left out `told`: before the run. A hole by itself gets what stands in for an output in a dry run; an expression knows that it is unknown. */
export function lookUp(
  plan: Pick<Plan, 'inputs' | 'host' | 'gates'> & { steps?: Plan['steps'] },
  told: Told | undefined,
  reference: Reference,
  isAlone = false,
): unknown {
  switch (reference.kind) {
    case 'input':
      return plan.inputs[reference.name];
    case 'host':
      return factOf(plan.host, reference.name);
    case 'gate':
      return plan.gates?.[reference.name];
    case 'run':
      if (told?.run === undefined || (told.isDry === true && !isAlone)) return UNKNOWN;
      return told.run[reference.name];
    default: {
      const { step } = reference;
      const status = told?.statuses?.get(step);
      if (told === undefined || status === 'undecided') return UNKNOWN;
      if (reference.kind === 'status') return status;
      if (told.isDry === true && !isAlone && isStandIn(plan.steps, reference)) return UNKNOWN;
      return (told.outputs.get(step) as Record<string, unknown> | undefined)?.[reference.name];
    }
  }
}

const isStandIn = (steps: Plan['steps'] = [], { step, name }: Extract<Reference, { kind: 'output' }>): boolean =>
  steps.find(({ id }) => id === step)?.phase.output.properties?.[name]?.['x-known'] === 'after-run';

/**
 * The input of one step, ready for its phase: defaults filled, secrets wrapped; undefined where it is not known in a dry run.
 * E_INPUT where an output is not what the next phase takes, or an expression has no value.
 */
export function inputOf(plan: Plan, { id, phase, with: template }: PlannedStep, told: Told): object | undefined {
  let given: unknown;
  try {
    given = evaluate(template, (reference, isAlone) => lookUp(plan, told, reference, isAlone));
  } catch (error) {
    throw fail('E_INPUT', { problems: [`step ${id}: ${(error as Error).message}`] });
  }
  if (hasUnknown(given)) return undefined;
  const plain = revealSecrets(given);
  const problems = violations(phase.input, plain).map(({ path, message }) => `${path.join('.')} ${message}`.trim());
  if (problems.length > 0) throw fail('E_INPUT', { problems: problems.map((p) => `${phase.name}: ${p}`) });
  return wrapSecrets(phase.input, plain) as object; // every phase's input is one
}

/** What a pipeline gives. E_INPUT where a part of it has no value; what only a run can show is left out of a dry one's. */
export function outputsOf(plan: Plan, template: Template, told: Told): unknown {
  const entries = template.kind === 'map' ? template.entries : [];
  const values = entries.map(([name, entry]) => {
    try {
      return [name, evaluate(entry, (reference, isAlone) => lookUp(plan, told, reference, isAlone))] as const;
    } catch (error) {
      throw fail('E_INPUT', { problems: [`outputs: ${name}: ${(error as Error).message}`] });
    }
  });
  return Object.fromEntries(values.filter(([, value]) => value !== undefined && !hasUnknown(value)));
}

/** Whether a step is to run; undefined where that is not known in a dry run. E_INPUT where its condition has no value. */
export function isToRun(plan: Plan, { id, if: condition }: PlannedStep, told: Told): boolean | undefined {
  if (condition === undefined) return true;
  try {
    const value = holds(condition, (reference) => lookUp(plan, told, reference));
    return value === UNKNOWN ? undefined : value;
  } catch (error) {
    throw fail('E_INPUT', { problems: [`step ${id}: ${(error as Error).message}`] });
  }
}
