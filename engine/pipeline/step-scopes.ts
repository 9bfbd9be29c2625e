/** What can be read where: a step reads what it comes after, `finally` reads everything, and how it ended. */

import { presentIn } from '../expressions/conditions.ts';
import type { Sight } from './check-expressions.ts';
import { isAfter, type Needs } from './graph.ts';
import type { PipelineStep } from './load.ts';
import type { Checked } from './planned.ts';

export interface Section {
  key: 'steps' | 'finally';
  steps: readonly Checked[];
  needs: Needs;
  byId: ReadonlyMap<string, Checked>;
}

export function sightOf({ step, condition }: Checked, section: Section): Pick<Sight, 'steps' | 'present'> {
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
  id === other ? `${id} cannot read what it gives itself` : `${id} does not come after ${other}: add it to needs`;

/** None of the steps before may have got there. */
export function sightOfFinally(each: Checked, main: Section, own: Section): Pick<Sight, 'steps' | 'present' | 'run'> {
  const { present, steps } = sightOf(each, own);
  return {
    present,
    run: {
      type: 'object',
      required: ['status'],
      properties: { status: { enum: ['succeeded', 'failed', 'cancelled', 'undone'] }, error: { type: 'string' } },
    },
    steps: {
      phaseOf: new Map([...phasesOf(main), ...phasesOf(own)]),
      unreadable: (id) => (main.byId.has(id) ? undefined : steps?.unreadable(id)),
      withoutOutputs: (id) => (main.byId.has(id) ? 'may not have run' : steps?.withoutOutputs(id)),
    },
  };
}

/** They are read when every step has ended well, or is skipped. */
export const sightOfOutputs = (main: Section): Pick<Sight, 'steps'> => ({
  steps: {
    phaseOf: phasesOf(main),
    unreadable: () => undefined,
    withoutOutputs: (id) => withoutOutputs(main.byId.get(id)?.step),
  },
});

const known = new WeakMap<Section, NonNullable<Sight['steps']>['phaseOf']>();
/** Variants have the same outputs, so the first stands for all. */
function phasesOf(section: Section): NonNullable<Sight['steps']>['phaseOf'] {
  const phases =
    known.get(section) ?? new Map(section.steps.map(({ step, candidates }) => [step.id, candidates[0]?.phase]));
  known.set(section, phases);
  return phases;
}

/** Why a step may end well and have given nothing. */
function withoutOutputs(step: PipelineStep | undefined): string | undefined {
  if (step?.if !== undefined) return 'may be skipped';
  return step?.allowFailure === true ? 'may fail' : undefined;
}
