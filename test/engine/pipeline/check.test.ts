// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a placeholder is written like a JavaScript template
import { describe, expect, test } from 'vitest';
import { checkPipeline } from '../../../engine/pipeline/check.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { processorMs } from '../../helpers/processor-time.ts';
import { greet, load, phases } from './fixtures.ts';

describe('a valid pipeline', () => {
  test('each planned step has its phase, needs, limits and reads', () => {
    const [a, b, c, d] = checkPipeline(
      load(
        [
          'defaults: { timeout: 90s, retry: { attempts: 3, cap: 1m } }',
          'steps:',
          '  - { id: a, uses: greet, with: { text: x } }',
          '  - { id: b, uses: listen, timeout: 1h30m, retry: { initial: 500ms, factor: 1.5 }, with: { heard: "${{ steps.a.outputs.message }}" } }',
          '  - { id: c, uses: listen, needs: [] }',
          '  - { id: d, uses: listen, needs: [b, c], with: { heard: "${{ steps["a"].outputs.message }} ${{ steps.a.outputs.size }}" } }',
        ]
          .join('\n')
          .replace('"${{ steps["a"]', '\'${{ steps["a"]')
          .replace('size }}"', "size }}'"),
      ),
      phases(),
    ).steps;
    const retry = { attempts: 3, initialMs: 1_000, factor: 2, capMs: 60_000 };
    expect(a).toMatchObject({ id: 'a', phase: greet, needs: [], reads: [], timeoutMs: 90_000, retry });
    expect(b).toMatchObject({
      needs: ['a'],
      reads: ['a'],
      timeoutMs: 5_400_000,
      retry: { ...retry, initialMs: 500, factor: 1.5 },
    });
    expect(c).toMatchObject({ needs: [], reads: [] });
    expect(d).toMatchObject({ needs: ['b', 'c'], reads: ['a'] });
  });

  test('a step has one attempt of five minutes by default', () => {
    const [a] = checkPipeline(load('steps:\n  - { id: a, uses: listen }\n'), phases()).steps;
    expect(a).toMatchObject({ timeoutMs: 300_000, retry: { attempts: 1, initialMs: 1_000, factor: 2, capMs: 30_000 } });
  });

  test('the check of a pipeline accepts an integer for a number, and text around any placeholder', () => {
    const body =
      'steps:\n  - { id: a, uses: greet, with: { text: x } }\n  - { id: b, uses: listen, with: { ratio: "${{ steps.a.outputs.size }}", heard: "${{ host.privileged }}!" } }\n';
    expect(checkPipeline(load(body), phases()).steps).toHaveLength(2);
  });

  test('two steps may write one path if their order is defined', () => {
    const body =
      'steps:\n  - { id: a, uses: greet, with: { text: x } }\n  - { id: between, uses: listen }\n  - { id: b, uses: greet, with: { text: x } }\n';
    expect(checkPipeline(load(body), phases()).steps.map(({ id }) => id)).toEqual(['a', 'between', 'b']);
  });

  test('a pipeline may use anchors', () => {
    const body = 'defaults: { retry: &often { attempts: 9 } }\nsteps:\n  - { id: a, uses: listen, retry: *often }\n';
    expect(checkPipeline(load(body), phases()).steps[0]?.retry.attempts).toBe(9);
  });
});

describe('a long pipeline', () => {
  const steps = (count: number, needs: (index: number) => string) =>
    load(
      `steps:\n${Array.from({ length: count }, (_, i) => `  - { id: s${i}, uses: greet, with: { text: hi }${needs(i)} }\n`).join('')}`,
    );

  test('2,000 steps that write one path in order are checked within seconds', () => {
    const begun = performance.now();
    expect(
      checkPipeline(
        steps(2_000, () => ''),
        phases(),
      ).steps,
    ).toHaveLength(2_000);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  test('a pipeline with 10,000 short steps can be read', () => {
    const lines = Array.from({ length: 10_000 }, (_, i) => `- { id: s${i}, uses: greet }\n`).join('');
    expect(load(`steps:\n${lines}`).steps).toHaveLength(10_000);
  });

  test.each([
    ['only closing brackets', '}'.repeat(1_000_000), '1:1: more than 250000 tokens'],
    [
      'needs that are not there',
      `steps:\n${Array.from({ length: 5_000 }, (_, i) => `- { id: s${i}, uses: listen, needs: [t${i}] }\n`).join('')}`,
      '5:35: there is no step t0',
    ],
  ])('a long pipeline of %s is refused in seconds, with the first hundred of its problems', async (_, body, first) => {
    const begun = processorMs();
    const { message } = await joinErrorOf(async () => checkPipeline(load(body), phases()));
    expect(message.split('\n')[0]).toBe(`made.yaml:${first}`);
    expect(message.split('\n').length).toBeLessThanOrEqual(100);
    expect(processorMs() - begun).toBeLessThan(10_000);
  });

  test('two writers of one path without a defined order are reported at the second one', async () => {
    const forked = steps(50, (index) => (index === 25 ? ', needs: [s3]' : ''));
    const { message } = await joinErrorOf(async () => checkPipeline(forked, phases()));
    expect(message).toMatch(/^made\.yaml:\d+:\d+: steps s\d+ and s\d+ both write \/etc\/motd in no defined order/);
  });
});
