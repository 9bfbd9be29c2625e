/** A pipeline and what the user gave → a plan: checked steps that can run, and the input of each when its time has come. */
import type { Registry } from '../registry.ts';
import { fail } from '../sdk/errors.ts';
import type { HostFacts } from '../sdk/ports.ts';
import { type Schema, withSecrets } from '../sdk/schema.ts';
import { revealed } from '../sdk/secret.ts';
import { checkPipeline, type PlannedStep } from './check.ts';
import { evaluate, parseTemplate, type Reference, references } from './holes.ts';
import type { Pipeline } from './load.ts';
import { type Violation, violations } from './validate.ts';

export interface Source {
  kind: 'pipeline' | 'phase';
  /** The pipeline's file, or the phase's name. */
  name: string;
  /** sha256 of the pipeline's text; of a phase, of its schemas. */
  digest: string;
}

export interface Plan {
  pipeline: string;
  /** What it was made of: the same source and the same inputs are the same run. */
  source: Source;
  steps: PlannedStep[];
  /** Values of the pipeline's inputs; secrets are `Secret`s. */
  inputs: Readonly<Record<string, unknown>>;
  host: HostFacts;
}

/** Binds the user's values. E_PIPELINE as `checkPipeline`, or E_INPUT with every problem of the values, named as flags. */
export function planOf(
  pipeline: Pipeline,
  registry: Registry,
  given: Readonly<Record<string, unknown>>,
  host: HostFacts,
): Plan {
  const steps = checkPipeline(pipeline, registry);
  const inputs = withHostDefaults(pipeline, given, host);
  const problems = violations(closed(pipeline.inputs), inputs).map(flagProblem);
  const plan = {
    pipeline: pipeline.metadata.name,
    source: { kind: 'pipeline' as const, name: pipeline.file, digest: pipeline.digest },
    steps,
    inputs: withSecrets(pipeline.inputs, inputs) as Record<string, unknown>, // an object stays an object
    host,
  };
  problems.push(...steps.filter(takesValues).flatMap((step) => unmet(plan, step)));
  if (problems.length > 0) throw fail('E_INPUT', { problems: [...new Set(problems)] });
  return plan;
}

/** Inputs nobody declared are mistakes. */
export const closed = (inputs: Schema): Schema => ({ ...inputs, additionalProperties: false });

/** `given`, with defaults that are holes (`${{ host.name }}`) filled. */
function withHostDefaults(pipeline: Pipeline, given: Readonly<Record<string, unknown>>, host: HostFacts) {
  const filled: Record<string, unknown> = { ...given };
  for (const name of Object.keys(pipeline.inputs.properties)) {
    const value = filled[name] ?? hostDefault(pipeline, name, host);
    if (value !== undefined) filled[name] = value;
  }
  pipeline.problems.throwIfAny();
  return filled;
}

/** The default of an input, which may read host facts. */
export function hostDefault(pipeline: Pipeline, name: string, host: HostFacts): unknown {
  const template = parseTemplate(pipeline.inputs.properties[name]?.default, (at, message) =>
    pipeline.problems.at(['inputs', 'properties', name, 'default', ...at], message),
  );
  return evaluate(template, ({ kind, name: fact }) => (kind === 'host' ? host[fact as keyof HostFacts] : undefined));
}

/** Its inputs come from the user or the host, at least one of them. */
const takesValues = (step: PlannedStep): boolean =>
  references(step.with).some(({ reference }) => reference.kind !== 'output');

/** What a phase's schema finds wrong with the inputs that are known before the run. */
function unmet(plan: Plan, step: PlannedStep): string[] {
  const laterNames = new Set(
    references(step.with)
      .filter(({ reference }) => reference.kind === 'output')
      .map(({ path }) => path[0]),
  );
  const known = evaluate(step.with, (reference) => lookUp(plan, undefined, reference));
  return violations(step.phase.input, revealed(known))
    .filter(({ path, missing }) => !laterNames.has(path[0] ?? missing ?? ''))
    .map((violation) => {
      const name = String(violation.path[0] ?? violation.missing ?? '');
      if (name === '') return violation.message;
      const entry = step.with.kind === 'map' ? step.with.entries.find(([key]) => key === name)?.[1] : undefined;
      const fromInput = entry?.kind === 'hole' && entry.reference.kind === 'input';
      return fromInput ? flagProblem(violation, entry.reference.name) : `step ${step.id}: ${name} ${violation.message}`;
    });
}

/** A violation of a value that has a flag; `input` where it is known under another name. */
export function flagProblem({ path, key, missing, message }: Violation, input?: unknown): string {
  const name = typeof input === 'string' ? input : (path[0] ?? key ?? missing);
  if (name === undefined) return message;
  return missing === undefined ? `${flagName(String(name))} ${message}` : `${flagName(String(name))} is missing`;
}

/** `discoveryTokenCaCertHash` → `--discovery-token-ca-cert-hash`: an input is named for its flag. */
const flagName = (input: string): string => `--${kebab(input)}`;
export const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The value a reference has, given the outputs so far. */
export function lookUp(plan: Plan, outputs: ReadonlyMap<string, unknown> | undefined, reference: Reference): unknown {
  switch (reference.kind) {
    case 'input':
      return plan.inputs[reference.name];
    case 'host':
      return plan.host[reference.name as keyof HostFacts];
    case 'output':
      return (outputs?.get(reference.step) as Record<string, unknown> | undefined)?.[reference.name];
  }
}

/** The input of one step, ready for its phase: defaults filled, secrets wrapped. E_INPUT where an output is not what the next phase takes. */
export function inputOf(
  plan: Plan,
  { phase, with: template }: PlannedStep,
  outputs: ReadonlyMap<string, unknown>,
): object {
  const plain = revealed(evaluate(template, (reference) => lookUp(plan, outputs, reference)));
  const problems = violations(phase.input, plain).map(({ path, message }) => `${path.join('.')} ${message}`.trim());
  if (problems.length > 0) throw fail('E_INPUT', { problems: problems.map((p) => `${phase.name}: ${p}`) });
  return withSecrets(phase.input, plain) as object; // every phase's input is one
}
