// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a hole of a pipeline is written like a JavaScript template
import { describe, expect, test } from 'vitest';
import { checkPipeline } from '../../../engine/pipeline/check.ts';
import { loadPipeline } from '../../../engine/pipeline/load.ts';
import { planOf } from '../../../engine/pipeline/plan.ts';
import { Registry } from '../../../engine/pipeline/registry.ts';
import { type RunResult, run } from '../../../engine/run/run.ts';
import { fail, Secret } from '../../../engine/sdk/index.ts';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { joinErrorOf, shownOf } from '../../helpers/errors.ts';
import { madePhase } from '../../helpers/plans.ts';

const HOST = { name: 'w1', privileged: true, architecture: 'amd64', distribution: 'debian' };
const CANARY = 'canary-7f3a-0123456789';

/** Gives back what it is given. */
const echo = madePhase({
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
const registry = new Registry();
registry.add(echo);

const HEAD = [
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
const load = (...steps: string[]) => loadPipeline('made.yaml', `${HEAD}\n${steps.join('\n')}\n`);
const problemsOf = async (...steps: string[]): Promise<string[]> =>
  (await joinErrorOf(() => checkPipeline(load(...steps), registry))).message
    .split('\n')
    .map((line) => line.replace('made.yaml:', ''));
const given = { must: 'x' };

async function ran(values: Record<string, unknown>, ...steps: string[]): Promise<RunResult> {
  const host = memoryHost();
  return run({ plan: planOf(load(...steps), registry, values, HOST), host });
}
const statuses = ({ steps }: RunResult) => steps.map(({ id, status }) => `${id} ${status}`);

describe('an expression in a pipeline that is wrong', () => {
  test.each<[string, string[], string[]]>([
    [
      'types that do not go together',
      ['- { id: a, uses: echo, with: { text: "${{ inputs.must + 1 }}" } }'],
      ['15:38: inputs.must + 1: no such overload: string + int'],
    ],
    [
      'a value of another type than the input',
      ['- { id: a, uses: echo, with: { count: "${{ inputs.many.size() > 1 }}", loud: "${{ inputs.number }}" } }'],
      [
        '15:39: count must be of type integer, but this expression is of type boolean',
        '15:78: loud must be of type boolean, but this expression is of type integer',
      ],
    ],
    [
      'a list where there is a text around it',
      ['- { id: a, uses: echo, with: { count: "n${{ inputs.number }}" } }'],
      ['15:39: count must be of type integer, but this expression is of type string'],
    ],
    [
      'an input that may be left out, not guarded',
      ['- { id: a, uses: echo, with: { text: "${{ inputs.may + \'x\' }}" } }'],
      ['15:38: inputs.may may have no value: write inputs.?may.orValue(…), or guard it with has(inputs.may)'],
    ],
    [
      'an output that may not be there, not guarded',
      ['- { id: a, uses: echo }', '- { id: b, uses: echo, with: { text: "${{ steps.a.outputs.text + \'x\' }}" } }'],
      [
        '16:38: steps.a.outputs.text may have no value: write steps.a.?outputs.text.orValue(…), or guard it with has(steps.a.outputs.text)',
      ],
    ],
    [
      'an output of a step that may be skipped, not guarded',
      [
        '- { id: a, uses: echo, if: inputs.role == "worker" }',
        '- { id: b, uses: echo, with: { text: "${{ steps.a.outputs.text }}", count: "${{ steps.a.outputs.count + 1 }}" } }',
      ],
      [
        '16:38: step a may be skipped: write steps.a.?outputs.text, or guard it with has(steps.a.outputs.text)',
        '16:76: step a may be skipped: write steps.a.?outputs.count, or guard it with has(steps.a.outputs.count)',
      ],
    ],
    [
      'names that are not there, every one of them',
      ['- { id: a, uses: echo, with: { text: "${{ inputs.mst + inputs.role + steps.b.outputs.x + host.nam }}" } }'],
      [
        '15:38: there is no input mst; did you mean must?',
        '15:38: there is no step b',
        '15:38: there is no host fact nam; did you mean name?',
      ],
    ],
    [
      'a step that is not upstream, in a condition',
      ['- { id: a, uses: echo }', '- { id: b, uses: echo, needs: [], if: "steps.a.outputs.count > 1" }'],
      ['16:39: step b does not run after a: add a to its needs'],
    ],
    [
      'conditions that are none',
      [
        '- { id: a, uses: echo, if: inputs.must }',
        '- { id: b, uses: echo, if: "${{ true }}" }',
        '- { id: c, uses: echo, if: "1 +" }',
        '- { id: d, uses: echo, if: has(inputs.mst) }',
      ],
      [
        '15:28: a condition must be a boolean, but this expression is of type string',
        '16:28: ${{ true }}: a condition is a bare expression: remove the ${{',
        '17:28: 1 +: Unexpected token: EOF',
        '18:28: there is no input mst; did you mean must?',
      ],
    ],
    [
      'secrets: in a condition, as a number, in a text that nobody keeps',
      [
        '- { id: a, uses: echo, if: "has(inputs.key) && inputs.key == \'x\'" }',
        '- id: b',
        '  uses: echo',
        "  with: { count: \"${{ inputs.?key.orValue('').size() }}\", text: \"a ${{ inputs.?key.orValue('') + 'b' }}\" }",
      ],
      [
        '15:28: a condition cannot read a secret: use has() to test whether it has a value',
        '18:18: an expression that reads a secret must be of type string, but this one is of type integer',
        '18:18: count cannot take a secret: phase echo does not mark it writeOnly',
        '18:65: text cannot take a secret: phase echo does not mark it writeOnly',
      ],
    ],
    [
      'what only a run can tell, where a phase is chosen',
      ['- { id: a, uses: [{ phase: echo, if: steps.b.outputs.count == 1 }, { phase: echo, if: run.status == "x" }] }'],
      [
        '15:38: steps.b.outputs.count cannot be read here: no step has run yet',
        '15:87: run.status can only be read in finally',
      ],
    ],
  ])('is refused: %s', async (_, steps, problems) => {
    expect(await problemsOf(...steps)).toEqual(problems);
  });

  test('is found before the run, where only its values are wrong', async () => {
    const pipeline = load(
      '- { id: a, uses: echo, with: { count: "${{ 6 / (inputs.number - 3) }}" } }',
      '- { id: b, uses: echo, if: "inputs.many[7] == \'x\'" }',
    );
    const error = await joinErrorOf(() => planOf(pipeline, registry, given, HOST));
    expect(error).toMatchObject({ code: 'E_INPUT', exitCode: 2 });
    expect(error.message.split('\n')).toEqual([
      'step a: ${{ 6 / (inputs.number - 3) }}: division by zero',
      "step b: if inputs.many[7] == 'x': No such key: index out of bounds, index 7 >= size 2",
    ]);
  });
});

describe('an expression in a pipeline', () => {
  test('keeps the type of its value, and may have braces and quotes of its own', async () => {
    const result = await ran(
      given,
      '- id: a',
      '  uses: echo',
      '  with:',
      '    count: ${{ inputs.number + 1 }}',
      '    ratio: ${{ inputs.number }}',
      '    loud: ${{ inputs.role in ["worker"] }}',
      "    tags: ${{ inputs.many.map(x, x + '}}') }}",
      '    text: \'${{ {"a": {"b": inputs.must}}.a.b }}${{ "}}" }}\'',
    );
    expect(result.steps[0]?.outputs).toEqual({
      ...{ count: 4, ratio: 3, loud: true },
      ...{ tags: ['a}}', 'b}}'], text: 'x}}' },
    });
  });

  test('that gives nothing leaves its input out', async () => {
    const result = await ran(given, '- { id: a, uses: echo, with: { text: "${{ inputs.?may }}", count: 1 } }');
    expect(result.steps[0]?.outputs).toEqual({ count: 1 });
  });

  test('is never read again: what looks like an expression stays a text', async () => {
    const tricky = '${{ inputs.key }}';
    const result = await ran(
      { must: tricky, key: CANARY },
      '- { id: a, uses: echo, with: { text: "${{ inputs.must + \'!\' }}" } }',
      "- { id: b, uses: echo, with: { text: \"${{ steps.a.?outputs.text.orValue('') + '?' }}\" } }",
    );
    expect(result.steps.map(({ outputs }) => (outputs as { text: string }).text)).toEqual([
      `${tricky}!`,
      `${tricky}!?`,
    ]);
    expect(shownOf(result)).not.toContain(CANARY);
  });

  test('of a secret hands the phase a secret', async () => {
    const result = await ran(
      { ...given, key: CANARY },
      "- { id: a, uses: echo, with: { token: \"${{ 'Bearer ' + inputs.?key.orValue('') }}\" } }",
    );
    expect(result.steps[0]?.outputs).toEqual({ token: expect.any(Secret), count: 0 });
    expect(shownOf(result)).not.toContain(CANARY);
  });

  test('decides which phase a step uses', () => {
    const registered = new Registry();
    for (const id of ['one', 'two']) registered.add(madePhase({ ...echo, id, run: () => ({}) }));
    const pipeline = load(
      '- { id: a, uses: [{ phase: one, if: inputs.number > 5 && host.privileged }, { phase: two }] }',
    );
    const phaseFor = (number: number) => planOf(pipeline, registered, { ...given, number }, HOST).steps[0]?.phase.name;
    expect([phaseFor(6), phaseFor(5)]).toEqual(['one', 'two']);
  });
});

describe('a step whose condition is false', () => {
  const steps = [
    '- { id: a, uses: echo, if: inputs.role == "control-plane", with: { count: 5 } }',
    '- { id: b, uses: echo, with: { count: "${{ steps.a.?outputs.count.orValue(1) }}" } }',
    '- { id: c, uses: echo, if: has(steps.a.outputs.count), with: { count: "${{ steps.a.outputs.count + 1 }}" } }',
    '- { id: d, uses: echo, if: "steps.a.status == \'skipped\'", with: { count: "${{ steps.c.?outputs.count }}" } }',
  ];

  test('is skipped, and what needs it runs: only reading its outputs demands that it ran', async () => {
    const result = await ran(given, ...steps);
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

  test('runs where it is true', async () => {
    const result = await ran({ ...given, role: 'control-plane' }, ...steps);
    expect(statuses(result)).toEqual(['a succeeded', 'b succeeded', 'c succeeded', 'd skipped']);
    expect(result.steps[2]?.outputs).toEqual({ count: 6 });
  });

  test('that has no value when its time has come fails', async () => {
    const result = await ran(
      given,
      '- { id: a, uses: echo, with: { count: 0 } }',
      '- { id: b, uses: echo, if: 1 / steps.a.outputs.count > 1 }',
      '- { id: c, uses: echo }',
    );
    expect(statuses(result)).toEqual(['a succeeded', 'b failed', 'c skipped']);
    expect(result.error).toMatchObject({
      code: 'E_INPUT',
      message: 'step b: if 1 / steps.a.outputs.count > 1: division by zero',
      step: 'b',
    });
  });
});

describe('the outputs of a pipeline', () => {
  const failing = madePhase({
    id: 'failing',
    run: () => Promise.reject(fail('E_FILE', { path: '/x', what: 'no' })),
    output: { type: 'object', required: ['x'], properties: { x: { type: 'string' } } },
  });
  const withFailing = new Registry();
  for (const phase of [echo, failing]) withFailing.add(phase);
  const runWith = (...lines: string[]) =>
    run({ plan: planOf(load(...lines), withFailing, given, HOST), host: memoryHost() });

  test('are what its steps gave, and leave out what is not there', async () => {
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

  test('are not there where it failed', async () => {
    const result = await runWith('- { id: b, uses: failing }', 'outputs: { one: 1 }');
    expect(result).toMatchObject({ status: 'failed', error: { code: 'E_FILE' } });
    expect(result.outputs).toBeUndefined();
  });

  test('that have no value fail the run', async () => {
    const result = await runWith(
      '- { id: a, uses: echo, with: { count: 0 } }',
      'outputs: { x: "${{ 1 / steps.a.outputs.count }}" }',
    );
    expect(result).toMatchObject({
      status: 'failed',
      error: { code: 'E_INPUT', message: 'outputs: x: ${{ 1 / steps.a.outputs.count }}: division by zero' },
    });
  });

  test('can read no secret, and nothing of a step that may not have run', async () => {
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

describe('what a step says of its time and its tries', () => {
  test('is taken part by part, and else from the defaults', () => {
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
    ['timeout: 5', 'must be a string or an object: it must be a time such as 30s or 1h30m, or ${{ inputs.x }}'],
    ['timeout: { attempts: 5m }', 'unknown key attempts; did you mean attempt?'],
    ['timeout: soon', 'has the wrong form "soon": it must be a time such as 30s or 1h30m, or ${{ inputs.x }}'],
    ['retry: { jitter: 2 }', 'must be <= 1'],
  ])('is refused where it is wrong: %s', async (text, message) => {
    const [problem] = await problemsOf(`- { id: a, uses: echo, ${text} }`);
    expect(problem?.replace(/^\d+:\d+: /, '')).toBe(message);
  });

  test('may name an error of a plugin', () => {
    expect(checkPipeline(load('- { id: a, uses: echo, retry: { on: [E_ACME_QUOTA] } }'), registry).steps).toHaveLength(
      1,
    );
  });
});

describe('a dry run', () => {
  const dry = async (...steps: string[]) => {
    const host = { ...memoryHost(), isDry: true };
    return run({ plan: planOf(load(...steps), registry, given, HOST), host });
  };
  const later = '- { id: a, uses: echo, with: { loud: true } }';

  test('leaves a step undecided whose condition only the run will know, and what reads it', async () => {
    const result = await dry(
      later,
      '- { id: b, uses: echo, if: "has(steps.a.outputs.later)" }',
      '- { id: c, uses: echo, with: { count: "${{ steps.b.?outputs.count }}" } }',
      '- { id: d, uses: echo, if: "has(steps.a.outputs.later) || inputs.number == 3" }',
    );
    expect(statuses(result)).toEqual(['a succeeded', 'b undecided', 'c undecided', 'd succeeded']);
    expect(result.status).toBe('succeeded');
  });

  test('hands on what stands in for a value, and knows it in no expression', async () => {
    const result = await dry(
      later,
      '- { id: b, uses: echo, with: { loud: "${{ steps.a.outputs.later }}" } }',
      '- { id: c, uses: echo, with: { loud: "${{ !steps.a.?outputs.later.orValue(true) }}" } }',
    );
    expect(statuses(result)).toEqual(['a succeeded', 'b succeeded', 'c undecided']);
  });
});
