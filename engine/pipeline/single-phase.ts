/** One phase as a plan of its own: `join phase NAME`. */
import { createHash } from 'node:crypto';
import { durationMs } from '../documents/durations.ts';
import { violations } from '../documents/validate.ts';
import { holds, parseCondition } from '../expressions/conditions.ts';
import { type Lookup, UNKNOWN } from '../expressions/references.ts';
import { evaluate, hasUnknown, parseTemplate, type Template } from '../expressions/template.ts';
import { fail } from '../sdk/errors.ts';
import type { AnyPhase } from '../sdk/phase.ts';
import type { HostFacts } from '../sdk/ports.ts';
import { wrapSecrets } from '../sdk/schema.ts';
import { revealSecrets } from '../sdk/secret.ts';
import { DEFAULT_TIMEOUT } from './check.ts';
import { type Pipeline, type PipelineStep, variantsOf } from './load.ts';
import { flagProblem, hostDefault, type Plan } from './plan.ts';

/** What the pipeline's step for this phase would get without anything given: host facts, and defaults of inputs. A literal is for that pipeline alone. */
export function inputsOutsidePipeline(pipeline: Pipeline, phase: AnyPhase, host: HostFacts): Record<string, unknown> {
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
    entries.map(([name, value]) => [name, valueOutside(value, lookup)]).filter(([, value]) => value !== undefined),
  );
}

/** Undefined where it hangs on what is not known by itself. */
function valueOutside(template: Template, lookup: Lookup): unknown {
  try {
    const value = evaluate(template, lookup);
    return hasUnknown(value) ? undefined : value;
  } catch {
    return undefined;
  }
}

/** The phase that a step uses where these inputs are given. */
export function phaseUsed(step: PipelineStep, given: Readonly<Record<string, unknown>>): string {
  const variants = variantsOf(step);
  const lookup: Lookup = ({ kind, ...at }) => (kind === 'input' && 'name' in at ? given[at.name] : UNKNOWN);
  const used = variants.find((variant) => holds(parseCondition(variant.if), lookup) === true) ?? variants[0];
  if (used === undefined) throw new Error(`step ${step.id} uses nothing`); // its schema asks for one
  return used.phase;
}

/** A plan of one step. E_INPUT with every problem, named as flags. */
export function planOfPhase(name: string, phase: AnyPhase, given: Record<string, unknown>, host: HostFacts): Plan {
  const problems = violations(phase.input, revealSecrets(given)).map((violation) => flagProblem(violation));
  if (problems.length > 0) throw fail('E_INPUT', { problems });
  return {
    pipeline: `phase ${name}`,
    source: { kind: 'phase', name, digest: digestOf(phase) },
    steps: [
      {
        id: name,
        phase,
        needs: [],
        reads: [],
        with: { kind: 'literal', value: wrapSecrets(phase.input, given) },
        timeoutMs: durationMs(DEFAULT_TIMEOUT),
        retry: { attempts: 1, initialMs: 0, factor: 1, capMs: 0 },
      },
    ],
    inputs: wrapSecrets(phase.input, given) as Record<string, unknown>, // an object stays an object
    ...{ host, notes: [] },
  };
}

const digestOf = ({ input, output }: AnyPhase): string =>
  createHash('sha256')
    .update(JSON.stringify([input, output]))
    .digest('hex');
