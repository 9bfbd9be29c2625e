/** A phase that returns its inputs, and a header for the pipelines of these tests. */
import { checkPipeline } from '../../../engine/pipeline/check.ts';
import { loadPipeline } from '../../../engine/pipeline/load.ts';
import { planOf } from '../../../engine/pipeline/plan.ts';
import { Registry } from '../../../engine/pipeline/registry.ts';
import type { RunResult } from '../../../engine/run/run.ts';
import { run } from '../../../engine/run/run.ts';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { phaseOfStep } from '../../helpers/plans.ts';

export const HOST = { name: 'w1', privileged: true, architecture: 'amd64', distribution: 'debian' };
export const CANARY = 'canary-7f3a-0123456789';

/** Gives back what it is given. */
export const echo = phaseOfStep({
  id: 'echo',
  run: (_, input) => ({ count: 0, ...(input as object) }),
  input: {
    type: 'object',
    properties: {
      text: { type: 'string' },
      count: { type: 'integer' },
      ratio: { type: 'number' },
      loud: { type: 'boolean' },
      tags: { type: 'array', items: { type: 'string' } },
      token: { type: 'string', writeOnly: true },
    },
    additionalProperties: false,
  },
  output: {
    type: 'object',
    required: ['count'],
    properties: {
      text: { type: 'string' },
      count: { type: 'integer' },
      later: { type: 'boolean', 'x-known': 'after-run' },
      loud: { type: 'boolean' },
      token: { type: 'string', writeOnly: true },
    },
  },
});
export const registry = new Registry();
registry.add(echo);

export const HEAD = [
  'apiVersion: joinery.dev/v1',
  'kind: Pipeline',
  'metadata: { name: made }',
  'inputs:',
  '  type: object',
  '  required: [must]',
  '  properties:',
  '    must: { type: string }',
  '    may: { type: string }',
  '    role: { enum: [worker, control-plane], default: worker }',
  '    many: { type: array, items: { type: string }, default: [a, b] }',
  '    number: { type: integer, default: 3 }',
  '    key: { type: string, writeOnly: true }',
  'steps:', // line 14
].join('\n');
export const load = (...steps: string[]) => loadPipeline('made.yaml', `${HEAD}\n${steps.join('\n')}\n`);
export const problemsOf = async (...steps: string[]): Promise<string[]> =>
  (await joinErrorOf(() => checkPipeline(load(...steps), registry))).message
    .split('\n')
    .map((line) => line.replace('made.yaml:', ''));
export const requiredInputs = { must: 'x' };

export async function ran(values: Record<string, unknown>, ...steps: string[]): Promise<RunResult> {
  const host = memoryHost();
  return run({ plan: planOf(load(...steps), registry, values, HOST), host });
}
export const statuses = ({ steps }: RunResult) => steps.map(({ id, status }) => `${id} ${status}`);
