// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a placeholder is written like a JavaScript template
import { describe, expect, test } from 'vitest';
import { checkPipeline } from '../../../engine/pipeline/check.ts';
import { loadPipeline } from '../../../engine/pipeline/load.ts';
import { planOf } from '../../../engine/pipeline/plan.ts';
import { Registry } from '../../../engine/pipeline/registry.ts';
import { run } from '../../../engine/run/run.ts';
import { fail } from '../../../engine/sdk/index.ts';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { phaseOfStep } from '../../helpers/plans.ts';
import { echo, HEAD, HOST, load, problemsOf, ran, registry, requiredInputs, statuses } from './fixtures.ts';

describe('a step whose condition is false', () => {
  const steps = [
    '- { id: a, uses: echo, if: inputs.role == "control-plane", with: { count: 5 } }',
    '- { id: b, uses: echo, with: { count: "${{ steps.a.?outputs.count.orValue(1) }}" } }',
    '- { id: c, uses: echo, if: has(steps.a.outputs.count), with: { count: "${{ steps.a.outputs.count + 1 }}" } }',
    '- { id: d, uses: echo, if: "steps.a.status == \'skipped\'", with: { count: "${{ steps.c.?outputs.count }}" } }',
  ];

  test('a step with a false condition is skipped, and steps that need it run', async () => {
    const result = await ran(requiredInputs, ...steps);
    expect(result.status).toBe('succeeded');
    expect(statuses(result)).toEqual(['a skipped', 'b succeeded', 'c skipped', 'd succeeded']);
    expect(result.steps.map(({ attempts, outputs }) => [attempts, outputs])).toEqual([
      ...[
        [0, undefined],
        [1, { count: 1 }],
      ],
      ...[
        [0, undefined],
        [1, { count: 0 }],
      ],
    ]);
  });

  test('a step with a true condition runs', async () => {
    const result = await ran({ ...requiredInputs, role: 'control-plane' }, ...steps);
    expect(statuses(result)).toEqual(['a succeeded', 'b succeeded', 'c succeeded', 'd skipped']);
    expect(result.steps[2]?.outputs).toEqual({ count: 6 });
  });

  test('a step whose condition has no value fails', async () => {
    const result = await ran(
      requiredInputs,
      '- { id: a, uses: echo, with: { count: 0 } }',
      '- { id: b, uses: echo, if: 1 / steps.a.outputs.count > 1 }',
      '- { id: c, uses: echo }',
    );
    expect(statuses(result)).toEqual(['a succeeded', 'b failed', 'c skipped']);
    expect(result.error).toMatchObject({
      code: 'E_INPUT',
      message: 'step b: if 1 / steps.a.outputs.count > 1: the divisor is 0, in "1 / steps.a.outputs.count"',
      step: 'b',
    });
  });
});

describe('the outputs of a pipeline', () => {
  const failing = phaseOfStep({
    id: 'failing',
    run: () => Promise.reject(fail('E_FILE', { path: '/x', what: 'no' })),
    output: { type: 'object', required: ['x'], properties: { x: { type: 'string' } } },
  });
  const withFailing = new Registry();
  for (const phase of [echo, failing]) withFailing.add(phase);
  const runWith = (...lines: string[]) =>
    run({ plan: planOf(load(...lines), withFailing, requiredInputs, HOST), host: memoryHost() });

  test('outputs come from the outputs of steps, and missing ones are omitted', async () => {
    const result = await runWith(
      '- { id: a, uses: echo, with: { count: 2, text: t } }',
      '- { id: b, uses: failing, allowFailure: true }',
      'outputs:',
      '  count: ${{ steps.a.outputs.count * 2 }}',
      '  text: "${{ steps.a.outputs.text }}/${{ steps.b.status }}"',
      '  none: ${{ steps.b.?outputs.x }}',
    );
    expect(statuses(result)).toEqual(['a succeeded', 'b failed-allowed']);
    expect(result).toMatchObject({ status: 'succeeded', outputs: { count: 4, text: 't/failed-allowed' } });
    expect(result.error).toBeUndefined();
  });

  test('a failed run has no outputs', async () => {
    const result = await runWith('- { id: b, uses: failing }', 'outputs: { one: 1 }');
    expect(result).toMatchObject({ status: 'failed', error: { code: 'E_FILE' } });
    expect(result.outputs).toBeUndefined();
  });

  test('an output without a value fails the run', async () => {
    const result = await runWith(
      '- { id: a, uses: echo, with: { count: 0 } }',
      'outputs: { x: "${{ 1 / steps.a.outputs.count }}" }',
    );
    expect(result).toMatchObject({
      status: 'failed',
      error: { code: 'E_INPUT', message: 'outputs: x: ${{ 1 / steps.a.outputs.count }}: the divisor is 0' },
    });
  });

  test('outputs cannot read secrets or steps that may not have run', async () => {
    const { message } = await joinErrorOf(() =>
      checkPipeline(
        load(
          '- { id: b, uses: failing, allowFailure: true }',
          'outputs: { key: "${{ inputs.key }}", x: "${{ steps.b.outputs.x }}" }',
        ),
        withFailing,
      ),
    );
    expect(message.split('\n')).toEqual([
      'made.yaml:16:17: key cannot take a secret: outputs are printed',
      'made.yaml:16:41: step b may fail: write steps.b.?outputs.x, or guard it with has(steps.b.outputs.x)',
    ]);
  });
});

describe('timeouts and retries of a step', () => {
  test('each limit comes from the step, or else from the defaults', () => {
    const pipeline = loadPipeline(
      'made.yaml',
      [
        HEAD.replace(
          'steps:',
          'defaults: { timeout: { attempt: 1m, total: 9m }, retry: { jitter: 0.5, on: [E_FILE] } }',
        ),
        'steps:',
        '- { id: a, uses: echo }',
        '- { id: b, uses: echo, timeout: 2m, allowFailure: true }',
        '- { id: c, uses: echo, timeout: { total: 3m }, retry: { on: [transient, E_HEALTH], jitter: 0 } }',
      ].join('\n'),
    );
    const [a, b, c] = checkPipeline(pipeline, registry).steps;
    expect(a).toMatchObject({ timeoutMs: 60_000, totalMs: 540_000, retry: { jitter: 0.5, on: ['E_FILE'] } });
    expect(b).toMatchObject({ timeoutMs: 120_000, totalMs: 540_000, allowFailure: true });
    expect(c).toMatchObject({
      timeoutMs: 60_000,
      totalMs: 180_000,
      retry: { jitter: 0, on: ['transient', 'E_HEALTH'] },
    });
  });

  test.each<[string, string]>([
    ['retry: { on: [E_STEP_TIMELIMIT] }', 'there is no error code E_STEP_TIMELIMIT; did you mean E_STEP_TIME_LIMIT?'],
    ['retry: { on: [sometimes] }', 'has the wrong form "sometimes": it must match ^(transient|E_[A-Z0-9_]+)$'],
    ['timeout: 5', 'must be a string or an object: it must be a duration such as 30s or 1h30m, or ${{ inputs.x }}'],
    ['timeout: { attempts: 5m }', 'unknown key attempts; did you mean attempt?'],
    ['timeout: soon', 'has the wrong form "soon": it must be a duration such as 30s or 1h30m, or ${{ inputs.x }}'],
    ['retry: { jitter: 2 }', 'must be <= 1'],
  ])('an invalid timeout or retry of a step is refused: %s', async (text, message) => {
    const [problem] = await problemsOf(`- { id: a, uses: echo, ${text} }`);
    expect(problem?.replace(/^\d+:\d+: /, '')).toBe(message);
  });

  test('retry.on may name an error of a plugin', () => {
    expect(checkPipeline(load('- { id: a, uses: echo, retry: { on: [E_ACME_QUOTA] } }'), registry).steps).toHaveLength(
      1,
    );
  });
});

describe('a dry run', () => {
  const dry = async (...steps: string[]) => {
    const host = { ...memoryHost(), isDry: true };
    return run({ plan: planOf(load(...steps), registry, requiredInputs, HOST), host });
  };
  const later = '- { id: a, uses: echo, with: { loud: true } }';

  test('a step is undecided if only a real run knows its condition or input', async () => {
    const result = await dry(
      later,
      '- { id: b, uses: echo, if: "has(steps.a.outputs.later)" }',
      '- { id: c, uses: echo, with: { count: "${{ steps.b.?outputs.count }}" } }',
      '- { id: d, uses: echo, if: "has(steps.a.outputs.later) || inputs.number == 3" }',
    );
    expect(statuses(result)).toEqual(['a succeeded', 'b undecided', 'c undecided', 'd succeeded']);
    expect(result.status).toBe('succeeded');
  });

  test('a stand-in is passed on as a bare reference, and is unknown in expressions', async () => {
    const result = await dry(
      later,
      '- { id: b, uses: echo, with: { loud: "${{ steps.a.outputs.later }}" } }',
      '- { id: c, uses: echo, with: { loud: "${{ !steps.a.?outputs.later.orValue(true) }}" } }',
    );
    expect(statuses(result)).toEqual(['a succeeded', 'b succeeded', 'c undecided']);
  });
});
