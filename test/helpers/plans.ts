/** Plans made by hand: steps whose phases are one function. */

import type { Plan } from '../../engine/pipeline/plan.ts';
import type { PlannedStep } from '../../engine/pipeline/planned-step.ts';
import type { AnyPhase, Effect, Ports, Schema } from '../../engine/sdk/index.ts';

export interface TestStep extends Partial<Omit<PlannedStep, 'phase'>> {
  id: string;
  run: (ports: Ports, input: unknown) => unknown;
  effects?: readonly Effect[];
  input?: Schema;
  output?: Schema;
  value?: unknown;
}

export const OBJECT: Schema = { type: 'object' };

export function phaseOfStep({ id, run, effects = [], input = OBJECT, output = OBJECT }: TestStep): AnyPhase {
  return {
    name: id,
    summary: id,
    input,
    output,
    effects,
    run: async (ports, values) => (await run(ports, values)) ?? {},
  };
}

export function planOfSteps(...steps: TestStep[]): Plan {
  return {
    pipeline: 'made',
    source: { kind: 'pipeline', name: 'made', digest: 'made' },
    inputs: {},
    host: { name: 'w1', privileged: true, architecture: 'amd64', distribution: 'debian' },
    notes: [],
    steps: steps.map((step) => ({
      id: step.id,
      phase: phaseOfStep(step),
      needs: step.needs ?? [],
      reads: step.reads ?? [],
      with: step.with ?? { kind: 'literal', value: step.value ?? {} },
      timeoutMs: step.timeoutMs ?? 60_000,
      retry: step.retry ?? { attempts: 1, initialMs: 0, factor: 1, capMs: 0 },
    })),
  };
}
