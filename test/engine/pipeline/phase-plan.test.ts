// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a placeholder is written like a JavaScript template
import { describe, expect, test } from 'vitest';
import { planOfPhase, standaloneInputs } from '../../../engine/pipeline/phase-plan.ts';
import { inputOf } from '../../../engine/pipeline/values.ts';
import { Secret } from '../../../engine/sdk/index.ts';
import { joinErrorOf, printedForms } from '../../helpers/errors.ts';
import { CANARY, greet, HOST, listen, load } from './fixtures.ts';

describe('a plan of one phase', () => {
  test('the plan of one phase has flags for its inputs, the defaults of the phase and wrapped secrets', async () => {
    const plan = planOfPhase('greet', greet, { text: 'hello', token: 'canary' }, HOST);
    expect(plan).toMatchObject({ pipeline: 'phase greet', steps: [{ id: 'greet', needs: [], timeoutMs: 300_000 }] });
    expect(printedForms(plan)).not.toContain('canary');
    const [step] = plan.steps;
    expect(step && inputOf(plan, step, { outputs: new Map() })).toEqual({
      text: 'hello',
      token: expect.any(Secret),
      count: 1,
    });
    const error = await joinErrorOf(() => planOfPhase('greet', greet, { tagz: [], token: CANARY }, HOST));
    expect(error.code).toBe('E_INPUT');
    expect(error.message.split('\n').sort()).toEqual([
      '--tagz unknown key tagz; did you mean tags?',
      '--text is missing',
      '--token has the wrong form: it must match ^[a-z]{6}$',
    ]);
    expect(printedForms(error)).not.toContain(CANARY);
  });

  test('the plan of one phase gets inputs from host facts and defaults, but not from literals or other steps', () => {
    const pipeline = load(
      'inputs: { type: object, properties: { n: { type: string, default: "${{ host.name }}" }, m: { type: string } } }\nsteps:\n  - { id: a, uses: greet, with: { text: "${{ inputs.n }}", count: 3 } }\n  - { id: b, uses: listen, with: { heard: "${{ steps.a.outputs.message }}" } }\n',
    );
    expect(standaloneInputs(pipeline, greet, HOST)).toEqual({ text: 'w1' });
    expect(standaloneInputs(pipeline, listen, HOST)).toEqual({});
  });
});
