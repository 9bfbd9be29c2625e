import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kubeadmPhases } from '../../../engine/kubeadm/phases.ts';
import { loadPipeline } from '../../../engine/pipeline/load.ts';
import { type Plan, planOf } from '../../../engine/pipeline/plan.ts';
import { Registry } from '../../../engine/pipeline/registry.ts';
import { definePhase } from '../../../engine/sdk/index.ts';
import { joinErrorOf } from '../../helpers/errors.ts';

const HOST = { name: 'w1', privileged: true, architecture: 'amd64', distribution: 'debian' };
const phase = (name: string, input: object = {}) =>
  definePhase({
    name,
    summary: name,
    input: { type: 'object', properties: { word: { type: 'string' } }, ...input } as never,
    output: { type: 'object', properties: { word: { type: 'string' } } },
    effects: [],
    run: async () => ({}),
  });

function registryOf(...names: string[]): Registry {
  const registry = new Registry();
  for (const name of names) registry.add(phase(name));
  for (const [name, steps] of Object.entries(kubeadmPhases)) registry.addGroup(name, steps);
  return registry;
}

const HEAD = `apiVersion: joinery.dev/v1
kind: Pipeline
metadata: { name: p }
inputs:
  type: object
  properties:
    skipPhases: { type: array, items: { type: string } }
    limit: { type: string, default: 2m }
`;
const NAMES = ['preflight', 'discovery', 'config', 'start', 'wait'];
const STEPS = `steps:
  - { id: preflight, uses: preflight }
  - { id: discovery, uses: discovery, needs: [] }
  - { id: config, uses: config, needs: [preflight, discovery] }
  - { id: start, uses: start, with: { word: "\${{ steps.config.outputs.word }}" } }
  - { id: wait, uses: wait }
`;
const planned = (values: Record<string, unknown>, steps = STEPS, named?: (input: string) => string): Plan =>
  planOf(loadPipeline('p.yaml', HEAD + steps), registryOf(...NAMES), values, HOST, named);
const order = ({ steps }: Plan) => Object.fromEntries(steps.map(({ id, needs }) => [id, needs]));
const problemsOf = async (skipPhases: string[], named?: (input: string) => string) =>
  (await joinErrorOf(() => planned({ skipPhases }, STEPS, named))).message.split('\n');

describe('skipped phases', () => {
  test('a skipped step is not part of the run, and its dependents inherit its needs', () => {
    expect(order(planned({}))).toMatchObject({ wait: ['start'], start: ['config'] });
    expect(order(planned({ skipPhases: ['config', 'start'] }))).toEqual({
      preflight: [],
      discovery: [],
      wait: ['preflight', 'discovery'],
    });
  });

  test('skipped phases are named as steps, as phases or as in kubeadm', () => {
    expect(order(planned({ skipPhases: ['preflight', 'control-plane-prepare/certs', 'etcd-join', ''] }))).toEqual({
      discovery: [],
      config: ['discovery'],
      start: ['config'],
      wait: ['start'],
    });
    const other = `steps:
  - { id: look, uses: preflight }
  - { id: preflight-cluster, uses: config }
  - { id: wait, uses: wait }
`;
    expect(order(planned({ skipPhases: ['preflight'] }, other))).toEqual({ wait: [] });
  });

  test('an unknown name is refused with the nearest name, or with all names', async () => {
    expect(await problemsOf(['preflihgt', 'x'])).toEqual([
      '--skip-phases: there is no phase preflihgt; did you mean preflight?',
      '--skip-phases: there is no phase x; the steps are preflight, discovery, config, start, wait',
    ]);
    expect(await problemsOf(['x'], () => 'c.yaml:3:1: skipPhases')).toEqual([
      'c.yaml:3:1: skipPhases: there is no phase x; the steps are preflight, discovery, config, start, wait',
    ]);
  });

  test('skipping a step whose outputs are read, or every step, is refused', async () => {
    expect(await problemsOf(['config'])).toEqual([
      '--skip-phases: step start reads word of config, which is skipped: skip both or neither',
    ]);
    expect(await problemsOf(NAMES)).toEqual(['--skip-phases: no step is left to run']);
  });

  test('skipping steps keeps the order of the others', () => {
    const earlierOf = (plan: Plan) => {
      const needs = new Map(plan.steps.map((step) => [step.id, step.needs]));
      const all = (id: string): string[] => (needs.get(id) ?? []).flatMap((other) => [other, ...all(other)]);
      return new Map(plan.steps.map(({ id }) => [id, new Set(all(id))]));
    };
    const chain = STEPS.replace(/, with: .*\}/, ' }');
    const whole = earlierOf(planned({}, chain));
    fc.assert(
      fc.property(fc.subarray(NAMES, { maxLength: 4 }), (skipPhases) => {
        for (const [id, earlier] of earlierOf(planned({ skipPhases }, chain)))
          expect([...earlier].sort()).toEqual(
            [...(whole.get(id) ?? [])].filter((one) => !skipPhases.includes(one)).sort(),
          );
      }),
    );
  });
});

describe('time limits', () => {
  const limits = (values: Record<string, unknown>, step: string) =>
    planned(values, `steps:\n  - { id: wait, uses: wait, ${step} }\n`).steps[0];

  test('a time limit may be the value or default of an input', () => {
    const timeout = `timeout: "\${{ inputs.limit }}"`;
    expect(limits({}, timeout)?.timeoutMs).toBe(120_000);
    expect(limits({ limit: '1h30m' }, timeout)?.timeoutMs).toBe(5_400_000);
  });

  test.each(['soon', '5', '0s', '-1m'])('a time limit of %s is refused', async (limit) => {
    const timeout = `timeout: "\${{ inputs.limit }}"`;
    expect(await joinErrorOf(() => limits({ limit }, timeout))).toMatchObject({
      code: 'E_INPUT',
      message: '--limit must be a duration such as 30s or 5m',
      exitCode: 2,
    });
  });

  test.each([
    ['lim', 'there is no input lim'],
    ['limt', 'there is no input limt; did you mean limit?'],
    ['skipPhases', 'input skipPhases sets a timeout, so its default must be a duration such as 30s or 5m'],
  ])('a time limit from the input %s is a problem of the pipeline', async (input, problem) => {
    const error = await joinErrorOf(() => limits({}, `timeout: "\${{ inputs.${input} }}"`));
    expect(error).toMatchObject({ code: 'E_PIPELINE', message: `p.yaml:10:38: ${problem}` });
  });
});
