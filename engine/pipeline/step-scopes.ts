/**
 * What each step can read: the steps it comes after. The steps of `finally` can read every step, and how the run
 * ended.
 */

import { presentIn } from '../expressions/conditions.ts';
import type { Scope, StepScope } from '../expressions/scope.ts';
import { isAfter, type Needs } from './graph.ts';
import type { PipelineStep } from './load.ts';
import type { CheckedStep } from './planned-step.ts';

export interface Section {
  key: 'steps' | 'finally';
  steps: readonly CheckedStep[];
  needs: Needs;
  byId: ReadonlyMap<string, CheckedStep>;
}

interface ReadableSteps {
  present: Scope['present'];
  steps: StepScope;
}

export function stepScope({ step, condition }: CheckedStep, section: Section): ReadableSteps {
  return {
    present: presentIn(condition),
    steps: {
      phaseOf: phasesOf(section),
      unreadable: (id) => (isAfter(section.needs, step.id, id) ? undefined : notAfter(step.id, id)),
      withoutOutputs: (id) => withoutOutputs(section.byId.get(id)?.step),
    },
  };
}

const notAfter = (id: string, other: string): string =>
  id === other
    ? `step ${id} cannot read its own outputs`
    : `step ${id} does not run after ${other}: add ${other} to its needs`;

const RUN = {
  type: 'object',
  required: ['status'],
  properties: { status: { enum: ['succeeded', 'failed', 'cancelled', 'undone'] }, error: { type: 'string' } },
} as const;

/** Any of the other steps may not have run when `finally` begins. */
export function finallyScope(checked: CheckedStep, main: Section, own: Section): ReadableSteps & Pick<Scope, 'run'> {
  const { present, steps } = stepScope(checked, own);
  return {
    present,
    run: RUN,
    steps: {
      phaseOf: new Map([...phasesOf(main), ...phasesOf(own)]),
      unreadable: (id) => (main.byId.has(id) ? undefined : steps.unreadable(id)),
      withoutOutputs: (id) => (main.byId.has(id) ? 'may not have run' : steps.withoutOutputs(id)),
    },
  };
}

/** The outputs of a pipeline are evaluated after every step has succeeded or was skipped. */
export const outputsScope = (main: Section): { steps: StepScope } => ({
  steps: {
    phaseOf: phasesOf(main),
    unreadable: () => undefined,
    withoutOutputs: (id) => withoutOutputs(main.byId.get(id)?.step),
  },
});

const cache = new WeakMap<Section, StepScope['phaseOf']>();
/** The phases of a step have the same outputs, so the first stands for all of them. */
function phasesOf(section: Section): StepScope['phaseOf'] {
  const phases =
    cache.get(section) ?? new Map(section.steps.map(({ step, candidates }) => [step.id, candidates[0]?.phase]));
  cache.set(section, phases);
  return phases;
}

/** Why a step of a successful run may have no outputs. */
function withoutOutputs(step: PipelineStep | undefined): string | undefined {
  if (step?.if !== undefined) return 'may be skipped';
  return step?.allowFailure === true ? 'may fail' : undefined;
}
