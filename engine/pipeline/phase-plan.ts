/** A plan of one phase: `join phase NAME`. */
import { digestOf } from '../documents/digest.ts';
import { durationMs } from '../documents/durations.ts';
import { type Violation, violations } from '../documents/validate.ts';
import { holds, parseCondition } from '../expressions/conditions.ts';
import { type Lookup, UNKNOWN } from '../expressions/references.ts';
import { evaluate, hasUnknown, parseTemplate, type Template } from '../expressions/template.ts';
import { fail } from '../sdk/errors.ts';
import type { AnyPhase } from '../sdk/phase.ts';
import type { HostFacts } from '../sdk/ports.ts';
import { type Schema, wrapSecrets } from '../sdk/schema.ts';
import { revealSecrets } from '../sdk/secret.ts';
import { flagProblem } from './flag-names.ts';
import { hostDefault } from './inputs.ts';
import { type Pipeline, type PipelineStep, variantsOf } from './load.ts';
import type { Plan } from './plan.ts';
import { DEFAULT_TIMEOUT } from './planned-step.ts';

/**
 * The inputs that the pipeline's step for this phase has by default: those that come from host facts and defaults of
 * inputs, but no literals, because they are meant for that pipeline only.
 */
export function standaloneInputs(pipeline: Pipeline, phase: AnyPhase, host: HostFacts): Record<string, unknown> {
  const step = pipeline.steps.find((candidate) =>
    variantsOf(candidate).some((variant) => variant.phase === phase.name),
  );
  const template = parseTemplate(step?.with ?? {}, () => undefined);
  const lookup: Lookup = (reference) => {
    if (reference.kind === 'host') return host[reference.name as keyof HostFacts];
    return (reference.kind === 'input' ? hostDefault(pipeline, reference.name, host) : undefined) ?? UNKNOWN;
  };
  const entries = template.kind === 'map' ? template.entries.filter(([, value]) => value.kind !== 'literal') : [];
  return Object.fromEntries(
    entries.map(([name, value]) => [name, knownValue(value, lookup)]).filter(([, value]) => value !== undefined),
  );
}

/** The value of a template, or undefined if it depends on unknown values. */
function knownValue(template: Template, lookup: Lookup): unknown {
  try {
    const value = evaluate(template, lookup);
    return hasUnknown(value) ? undefined : value;
  } catch {
    return undefined;
  }
}

/** The name of the phase that a step uses if the inputs have these values. */
export function phaseFor(step: PipelineStep, inputs: Readonly<Record<string, unknown>>): string {
  const variants = variantsOf(step);
  const lookup: Lookup = ({ kind, ...at }) => (kind === 'input' && 'name' in at ? inputs[at.name] : UNKNOWN);
  const variant = variants.find(({ if: condition }) => holds(parseCondition(condition), lookup) === true);
  const phase = (variant ?? variants[0])?.phase;
  if (phase === undefined) throw new Error(`step ${step.id} uses no phase`); // its schema requires one
  return phase;
}

/**
 * Required mappings whose properties have flags: a missing flag is then a problem of the mapping, not the mapping
 * itself.
 */
const emptyMappings = ({ properties = {}, required = [] }: Schema): Record<string, unknown> =>
  Object.fromEntries(required.filter((name) => properties[name]?.['x-flags'] === true).map((name) => [name, {}]));

/** Names such a violation by its flag. */
function withinMapping({ properties = {} }: Schema, violation: Violation): Violation {
  const [input, ...path] = violation.path;
  return properties[String(input)]?.['x-flags'] === true ? { ...violation, path } : violation;
}

/** Plans one phase. Throws E_INPUT with every problem; inputs are named as flags. */
export function planOfPhase(name: string, phase: AnyPhase, values: Record<string, unknown>, host: HostFacts): Plan {
  const inputs = { ...emptyMappings(phase.input), ...values };
  const problems = violations(phase.input, revealSecrets(inputs)).map((violation) =>
    flagProblem(withinMapping(phase.input, violation)),
  );
  if (problems.length > 0) throw fail('E_INPUT', { problems });
  return {
    pipeline: `phase ${name}`,
    source: { kind: 'phase', name, digest: digestOf(JSON.stringify([phase.input, phase.output])) },
    steps: [
      {
        id: name,
        phase,
        needs: [],
        reads: [],
        with: { kind: 'literal', value: wrapSecrets(phase.input, inputs) },
        timeoutMs: durationMs(DEFAULT_TIMEOUT),
        retry: { attempts: 1, initialMs: 0, factor: 1, capMs: 0 },
      },
    ],
    inputs: wrapSecrets(phase.input, inputs) as Record<string, unknown>, // an object stays an object
    host,
    notes: [],
  };
}
