// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders look like JavaScript templates
import { describe, expect, test } from 'vitest';
import { Journal } from '../../../engine/journal/journal.ts';
import { memoryStore } from '../../../engine/journal/memory.ts';
import { checkPipeline } from '../../../engine/pipeline/check.ts';
import { loadPipeline } from '../../../engine/pipeline/load.ts';
import { planOf } from '../../../engine/pipeline/plan.ts';
import { Registry } from '../../../engine/pipeline/registry.ts';
import { type RunOptions, type RunResult, run } from '../../../engine/run/run.ts';
import { fail, writes } from '../../../engine/sdk/index.ts';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { START } from '../../helpers/journaled.ts';
import { phaseOfStep } from '../../helpers/plans.ts';
import { SimulatedTime } from '../../helpers/simulated-time.ts';

const HOST = { name: 'w1', privileged: true, architecture: 'amd64', distribution: 'debian' };
const done: string[] = [];

/** Writes its text to a file, and logs it. */
const write = phaseOfStep({
  id: 'write',
  effects: [writes('/etc/*', 0o644, 'a word')],
  input: { type: 'object', properties: { path: { type: 'string' }, text: { type: 'string' } } },
  output: { type: 'object', required: ['text'], properties: { text: { type: 'string' } } },
  run: async ({ files }, input) => {
    const { path = '/etc/x', text = '' } = input as { path?: string; text?: string };
    await files.write(path, text, 0o644);
    done.push(text);
    return { text };
  },
});
const failing = phaseOfStep({ id: 'failing', run: () => Promise.reject(fail('E_FILE', { path: '/x', what: 'no' })) });
const hang = phaseOfStep({
  id: 'hang',
  input: { type: 'object', properties: { text: { type: 'string' } } },
  run: ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
});
const registry = new Registry();
for (const phase of [write, failing, hang]) registry.add(phase);

const load = (...lines: string[]) =>
  loadPipeline(
    'made.yaml',
    ['apiVersion: joinery.dev/v1', 'kind: Pipeline', 'metadata: { name: made }', ...lines].join('\n'),
  );
async function ran(lines: string[], options: Partial<RunOptions> = {}) {
  done.length = 0;
  const host = memoryHost({ directories: ['/etc'] });
  const journal = options.journal ?? Journal.begin(memoryStore(), host.now, START);
  const result = await run({ plan: planOf(load(...lines), registry, {}, HOST), host, journal, ...options });
  return { result, host, journal };
}
const statuses = ({ steps }: RunResult) => steps.map(({ id, status }) => `${id} ${status}`);
const REPORT = [
  'finally:',
  '- id: report',
  '  uses: write',
  '  with: { path: /etc/report, text: "${{ run.status }} ${{ run.?error.orValue(\'-\') }} ${{ steps.a.status }}" }',
];

describe('finally', () => {
  test('finally runs after a success, and can read the status', async () => {
    const { result } = await ran(['steps:', '- { id: a, uses: write, with: { text: one } }', ...REPORT]);
    expect(statuses(result)).toEqual(['a succeeded', 'report succeeded']);
    expect([result.status, done]).toEqual(['succeeded', ['one', 'succeeded - succeeded']]);
  });

  test('finally runs after a failure, and the run has still failed', async () => {
    const { result } = await ran(['steps:', '- { id: a, uses: failing }', '- { id: b, uses: write }', ...REPORT]);
    expect(statuses(result)).toEqual(['a failed', 'b skipped', 'report succeeded']);
    expect(result).toMatchObject({ status: 'failed', error: { code: 'E_FILE', step: 'a' } });
    expect(done).toEqual(['failed E_FILE failed']);
  });

  test('finally runs after an undo, and its own changes stay', async () => {
    const { result, host, journal } = await ran(
      ['steps:', '- { id: a, uses: write, with: { text: one } }', '- { id: b, uses: failing }', ...REPORT],
      { onFailure: 'undo' },
    );
    expect(statuses(result)).toEqual(['a undone', 'b undone', 'report succeeded']);
    expect(done).toEqual(['one', 'undone E_FILE undone']);
    const read = (path: string) => host.read<'file'>({ kind: 'file', path }, new AbortController().signal);
    expect([await read('/etc/x'), String(await read('/etc/report'))]).toEqual([undefined, 'undone E_FILE undone']);
    expect(journal.history().status).toBe('undone');
  });

  test('finally runs after a cancellation, and a second cancellation stops it', async () => {
    const stop = new AbortController();
    const keep = new AbortController();
    const lines = ['steps:', '- { id: a, uses: hang }', ...REPORT, '- { id: last, uses: hang }'];
    const running = ran(lines, {
      signal: stop.signal,
      keepSignal: keep.signal,
      onEvent: (event) => {
        if (event.type !== 'step.started') return;
        if (event.step === 'a') stop.abort(fail('E_CANCELLED', { signal: 'SIGINT' }));
        if (event.step === 'last') keep.abort(fail('E_CANCELLED', { signal: 'SIGINT' }));
      },
    });
    const { result } = await running;
    expect(statuses(result)).toEqual(['a cancelled', 'report succeeded', 'last cancelled']);
    expect(done).toEqual(['cancelled E_CANCELLED cancelled']);
    expect(result).toMatchObject({ status: 'cancelled', error: { code: 'E_CANCELLED' } });
  });

  test('finally has a time limit of its own', async () => {
    const time = new SimulatedTime();
    const running = ran(
      [
        'defaults: { finally: 10s, timeout: 1h }',
        'steps: [{ id: a, uses: write }]',
        'finally: [{ id: one, uses: hang, allowFailure: true, timeout: 4s }, { id: two, uses: hang }]',
      ],
      { clock: time },
    );
    await time.passAll();
    const { result } = await running;
    expect(time.now()).toBe(10_000);
    expect(statuses(result)).toEqual(['a succeeded', 'one failed-allowed', 'two cancelled']);
    expect(result).toMatchObject({
      status: 'failed',
      error: {
        code: 'E_STEP_TIME_LIMIT',
        message: 'step finally did not finish within its time limit of 10 s for all attempts',
      },
    });
  });

  test('a run whose finally fails has failed, and nothing is undone', async () => {
    const { result } = await ran(
      ['steps: [{ id: a, uses: write }]', 'outputs: { x: 1 }', 'finally: [{ id: f, uses: failing }]'],
      { onFailure: 'undo' },
    );
    expect(statuses(result)).toEqual(['a succeeded', 'f failed']);
    expect(result).toMatchObject({ status: 'failed', error: { code: 'E_FILE', step: 'f' } });
  });

  test('finally runs again when the run is resumed', async () => {
    const lines = (uses: string) => ['steps:', `- { id: a, uses: ${uses}, with: {} }`, ...REPORT];
    const { journal } = await ran(lines('failing'));
    const { result } = await ran(lines('write'), { journal });
    expect(statuses(result)).toEqual(['a succeeded', 'report succeeded']);
    expect(done).toEqual(['', 'succeeded - succeeded']);
  });

  test('a resumed run does not repeat finished steps that need a skipped step or an allowed failure', async () => {
    const lines = (uses: string) => [
      'steps:',
      '- { id: a, uses: write, if: host.name == "other", with: { text: a } }',
      '- { id: b, uses: failing, allowFailure: true, needs: [] }',
      '- { id: c, uses: write, needs: [a, b], with: { text: c } }',
      `- { id: d, uses: ${uses} }`,
    ];
    const { journal, result: first } = await ran(lines('failing'));
    expect(statuses(first)).toEqual(['a skipped', 'b failed-allowed', 'c succeeded', 'd failed']);
    const { result } = await ran(lines('write'), { journal });
    expect(statuses(result)).toEqual(['a skipped', 'b failed-allowed', 'c succeeded', 'd succeeded']);
    expect(done).toEqual(['']); // d alone
    expect(result.error).toBeUndefined();
  });

  test('finally has its own order and conditions, and can read the outputs of every step', async () => {
    const { result } = await ran([
      'steps:',
      '- { id: a, uses: write, with: { text: one } }',
      'finally:',
      '- { id: good, uses: write, if: run.status == "succeeded", with: { text: "${{ steps.a.?outputs.text }}" } }',
      '- { id: bad, uses: write, if: run.status != "succeeded" }',
      '- { id: last, uses: write, with: { text: "${{ steps.good.status }} ${{ steps.bad.status }}" } }',
    ]);
    expect(statuses(result)).toEqual(['a succeeded', 'good succeeded', 'bad skipped', 'last succeeded']);
    expect(done).toEqual(['one', 'one', 'succeeded skipped']);
  });

  test('a dry run shows finally, except for what depends on the end of the run', async () => {
    const host = { ...memoryHost({ directories: ['/etc'] }), isDry: true };
    const lines = ['steps:', '- { id: a, uses: write }', 'finally:', '- { id: r, uses: write, with: { text: x } }'];
    const plan = planOf(load(...lines, '- { id: bad, uses: write, if: run.status == "failed" }'), registry, {}, HOST);
    expect(statuses(await run({ plan, host }))).toEqual(['a succeeded', 'r succeeded', 'bad undecided']);
  });

  test.each<[string, string[], string[]]>([
    [
      'reads outputs as if every step had given some',
      [
        'steps: [{ id: a, uses: write }]',
        'finally:',
        '- { id: f, uses: write, with: { text: "${{ steps.a.outputs.text }}" } }',
      ],
      ['6:39: step a may not have run: write steps.a.?outputs.text, or guard it with has(steps.a.outputs.text)'],
    ],
    [
      'takes an id that there is, needs a step, reads what there is not',
      [
        'steps: [{ id: a, uses: write }]',
        'finally:',
        '- { id: a, uses: write, needs: [b], if: run.state == "x" }',
        '- { id: c, uses: write, needs: [d, a] }',
        '- { id: e, uses: hang, needs: [], with: { text: "${{ steps.c.outputs.text }}" } }',
      ],
      [
        '6:9: two steps have the id a',
        '6:33: there is no step b',
        '6:41: there is no run value state; did you mean status?',
        '7:33: there is no step d',
        '8:49: step e does not run after c: add c to its needs',
      ],
    ],
    [
      'is read by what comes before',
      ['steps: [{ id: a, uses: write, with: { text: "${{ run.status }}" } }]', 'finally: [{ id: f, uses: hang }]'],
      ['4:45: run.status can only be read in finally'],
    ],
  ])('finally is refused if it %s', async (_, lines, problems) => {
    const { message } = await joinErrorOf(() => checkPipeline(load(...lines), registry));
    expect(message.split('\n').map((line) => line.replace('made.yaml:', ''))).toEqual(problems);
  });
});
