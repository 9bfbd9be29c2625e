/** A pipeline and the values of its inputs → a plan: checked steps that a run can execute. */

import { violations } from '../documents/validate.ts';
import type { Template } from '../expressions/template.ts';
import { fail } from '../sdk/errors.ts';
import { defined } from '../sdk/fields.ts';
import type { HostFacts } from '../sdk/ports.ts';
import { wrapSecrets } from '../sdk/schema.ts';
import { checkPipeline } from './check.ts';
import { flagName, flagProblem } from './flag-names.ts';
import { GATES_INPUT, type PlannedGates, planGates } from './gates.ts';
import { closedSchema, readsHostName, withHostDefaults } from './inputs.ts';
import { knownProblems } from './known-inputs.ts';
import type { AppliedEnvironment, Pipeline } from './load.ts';
import type { PlannedStep } from './planned-step.ts';
import type { Registry } from './registry.ts';
import { SKIP_INPUT, skipSteps } from './skip-steps.ts';
import { invalidLimits, limitInputs } from './time-limits.ts';
import { lookUp } from './values.ts';

export interface PlanSource {
  kind: 'pipeline' | 'phase';
  /** The file of the pipeline, or the name of the phase. */
  name: string;
  /** SHA-256 of the text of the pipeline, or of the schemas of the phase. */
  digest: string;
  /** The environments on top of the pipeline. Absent without environments. */
  environments?: readonly AppliedEnvironment[];
}

export interface Plan {
  pipeline: string;
  /** The same source with the same inputs is the same run. */
  source: PlanSource;
  steps: PlannedStep[];
  /** The steps that run after the others, however those ended, within `budgetMs`. */
  finally?: { steps: PlannedStep[]; budgetMs: number };
  /** What a successful run returns. */
  outputs?: Template;
  /** Values of the pipeline's inputs. Secrets are `Secret`s. */
  inputs: Readonly<Record<string, unknown>>;
  /** Inputs that set time limits. Plans that differ only in them are the same run. Absent in a plan of one phase. */
  limitInputs?: readonly string[];
  host: HostFacts;
  /** Values of the feature gates. Absent in a plan of one phase. */
  gates?: PlannedGates['gates'];
  /** Remarks on the values of the inputs. */
  notes: readonly string[];
}

/**
 * Binds the values of the inputs. Throws E_PIPELINE like `checkPipeline`, or E_INPUT with every problem of the values.
 * `nameOf` says where the value of an input came from; by default, a flag.
 */
export function planOf(
  pipeline: Pipeline,
  registry: Registry,
  values: Readonly<Record<string, unknown>>,
  host: HostFacts,
  nameOf: (input: string) => string = flagName,
): Plan {
  const inputs = withHostDefaults(pipeline, values, host);
  const named = (input: string) =>
    values[input] === undefined && readsHostName(pipeline, input) ? hostNameAs(flagName(input)) : nameOf(input);
  const problems: string[] = [];
  const { gates, notes, problems: gateProblems } = planGates(registry, inputs[GATES_INPUT]);
  const checked = checkPipeline(pipeline, registry, () => {
    const found = violations(closedSchema(pipeline.inputs), inputs); // also fills in the defaults
    problems.push(...found.map((violation) => flagProblem(violation, undefined, named)));
    return (reference) => lookUp({ inputs, host, gates }, undefined, reference);
  });
  const { steps, problems: skipProblems } = skipSteps(checked.steps, inputs[SKIP_INPUT], registry);
  problems.push(...gateProblems.map((problem) => `${named(GATES_INPUT)}: ${problem}`));
  problems.push(...skipProblems.map((problem) => `${named(SKIP_INPUT)}: ${problem}`));
  problems.push(
    ...invalidLimits(pipeline, inputs).map((input) => `${named(input)} must be a duration such as 30s or 5m`),
  );
  const plan: Plan = defined({
    pipeline: pipeline.metadata.name,
    source: { kind: 'pipeline' as const, name: pipeline.file, digest: pipeline.digest },
    steps,
    outputs: checked.outputs,
    finally: checked.finally,
    inputs: wrapSecrets(pipeline.inputs, inputs) as Record<string, unknown>, // an object stays an object
    host,
    gates,
    notes,
    limitInputs: limitInputs(pipeline),
  });
  const all = [...steps, ...(checked.finally?.steps ?? [])];
  problems.push(...all.flatMap((step) => knownProblems(plan, step, named)));
  if (problems.length > 0) throw fail('E_INPUT', { problems: [...new Set(problems)] });
  return plan;
}

const hostNameAs = (flag: string): string => `the host name of this machine (set ${flag} to use another)`;
