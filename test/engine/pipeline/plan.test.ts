// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a placeholder is written like a JavaScript template
import { describe, expect, test } from 'vitest';
import type { Plan } from '../../../engine/pipeline/plan.ts';
import { planOf } from '../../../engine/pipeline/plan.ts';
import { inputOf } from '../../../engine/pipeline/values.ts';
import { isSecret, Secret } from '../../../engine/sdk/index.ts';
import { joinErrorOf, printedForms } from '../../helpers/errors.ts';
import { CANARY, HOST, load, phases } from './fixtures.ts';

describe('values of inputs', () => {
  const body = [
    'inputs:',
    '  type: object',
    '  required: [text, apiToken]',
    '  properties:',
    '    text: { type: string }',
    '    apiToken: { type: string, writeOnly: true }',
    '    howOften: { type: integer, default: 2 }',
    '    nodeName: { type: string, default: "${{ host.name }}" }',
    '    motto: { type: string, default: "here is ${{ host.name }}" }',
    '    tags: { type: array, items: { type: string } }',
    '    level: { enum: [low, high] }',
    'steps:',
    '  - id: a',
    '    uses: greet',
    '    with: { text: "${{ inputs.text }}", token: "${{ inputs.apiToken }}", count: "${{ inputs.howOften }}", tags: "${{ inputs.tags }}" }',
    '  - { id: b, uses: listen, with: { heard: "${{ inputs.text }}" } }',
  ].join('\n');
  const bind = (values: Record<string, unknown>): Plan => planOf(load(body), phases(), values, HOST);
  const good = { text: 'hello', apiToken: 'abcdef' };

  test('an error shows a value without control characters, and shortened', async () => {
    const { message } = await joinErrorOf(() => bind({ ...good, text: `\u009b31m${'A'.repeat(9_000)}` }));
    expect(message).toMatch(/^--text has the wrong form "\P{Cc}+A: it must match/u);
    expect(message.length).toBeLessThan(700);
  });

  test('an error lists the allowed values, objects included', async () => {
    const odd = body.replace('[low, high]', '[low, { toString: 1 }]');
    const error = await joinErrorOf(() => planOf(load(odd), phases(), { ...good, level: 'x' }, HOST));
    expect(error.message).toBe('--level must be one of low, {"toString":1}');
  });

  test('values are completed by the defaults of the pipeline and the host', () => {
    const { pipeline, inputs, host } = bind(good);
    expect({ pipeline, host }).toEqual({ pipeline: 'made', host: HOST });
    expect(inputs).toEqual({
      text: 'hello',
      apiToken: expect.any(Secret),
      howOften: 2,
      nodeName: 'w1',
      motto: 'here is w1',
    });
  });

  test('a value overrides every default', () => {
    const { inputs } = bind({ ...good, howOften: 5, nodeName: 'other' });
    expect([inputs.howOften, inputs.nodeName]).toEqual([5, 'other']);
  });

  test('all problems are reported at once, each with its flag', async () => {
    const error = await joinErrorOf(() => bind({ howOften: 'often', tags: 'one', level: 'medium', nodename: 'x' }));
    expect(error).toMatchObject({ code: 'E_INPUT', exitCode: 2 });
    expect(error.message.split('\n').sort()).toEqual([
      '--api-token is missing',
      '--how-often must be an integer',
      '--level must be one of low, high',
      '--nodename unknown key nodename; did you mean nodeName?',
      '--tags must be an array',
      '--text is missing',
    ]);
  });

  test('values are checked with the schemas of the phases before anything runs', async () => {
    const error = await joinErrorOf(() => bind({ text: 'HELLO', apiToken: CANARY, howOften: 0 }));
    expect(error.code).toBe('E_INPUT');
    expect(error.message.split('\n')).toEqual(
      [
        '--text has the wrong form "HELLO": it must match ^[a-z0-9 ]+$',
        '--how-often must be >= 1',
        '--api-token has the wrong form: it must match ^[a-z]{6}$',
      ].sort((a, b) => error.message.indexOf(a) - error.message.indexOf(b)),
    );
    expect(printedForms(error)).not.toContain(CANARY);
  });

  test('the check of values reports a violation of a text that contains a placeholder', async () => {
    const pipeline = load(
      'inputs: { type: object, properties: { word: { type: string } } }\nsteps:\n  - { id: a, uses: greet, with: { text: "A ${{ inputs.word }}" } }\n',
    );
    const error = await joinErrorOf(() => planOf(pipeline, phases(), { word: 'b' }, HOST));
    expect(error.message).toBe('step a: text has the wrong form "A b": it must match ^[a-z0-9 ]+$');
  });

  test('secrets stay secret in the plan, in the inputs of steps and within text', () => {
    const plan = bind({ ...good, apiToken: 'canary' });
    expect(plan.inputs.apiToken).toBeInstanceOf(Secret);
    const inputs = plan.steps.map((step) => inputOf(plan, step, { outputs: new Map() }) as Record<string, unknown>);
    expect(inputs).toEqual([{ text: 'hello', token: expect.any(Secret), count: 2 }, { heard: 'hello' }]);
    expect(printedForms(plan)).not.toContain('canary');
    expect(printedForms(inputs[0])).not.toContain('canary');
    expect(isSecret(inputs[0]?.token) && inputs[0].token.reveal()).toBe('canary');
  });

  test('an output that the next phase does not accept is refused during the run', async () => {
    const plan = planOf(
      load(
        'steps:\n  - { id: a, uses: greet, with: { text: x } }\n  - { id: b, uses: greet, with: { text: "${{ steps.a.outputs.message }}" } }\n',
      ),
      phases(),
      {},
      HOST,
    );
    const [, b] = plan.steps;
    if (b === undefined) throw new Error('no step');
    expect(inputOf(plan, b, { outputs: new Map([['a', { message: 'fine' }]]) })).toEqual({ text: 'fine', count: 1 });
    for (const outputs of [new Map([['a', { message: 'NOT FINE' }]]), new Map([['a', {}]])]) {
      const error = await joinErrorOf(() => inputOf(plan, b, { outputs }));
      expect(error.code).toBe('E_INPUT');
      expect(error.message).toMatch(/^greet: /);
    }
  });

  test('planning does not modify the values', () => {
    const values = Object.freeze({ ...good, tags: Object.freeze(['x']) });
    bind(values);
    expect(values).toEqual({ ...good, tags: ['x'] });
  });
});
