import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type RunEvent, type RunResult, run } from '../../../engine/run/run.ts';
import { fail } from '../../../engine/sdk/errors.ts';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { planOfSteps } from '../../helpers/plans.ts';
import { SimulatedTime } from '../../helpers/simulated-time.ts';

interface StepSpec {
  id: string;
  needs: string[];
  durationMs: number;
  /** What each attempt does. The last entry is repeated. */
  attempts: ('succeeds' | 'fails' | 'fails for now' | 'hangs' | 'ignores the limit')[];
  tries: number;
  timeoutMs: number;
}
interface Scenario {
  steps: StepSpec[];
  maxParallel: number;
  cancelAtMs: number | undefined;
}

const outcome = fc.oneof(
  { weight: 30, arbitrary: fc.constant('succeeds' as const) },
  { weight: 6, arbitrary: fc.constant('fails for now' as const) },
  { weight: 1, arbitrary: fc.constant('fails' as const) },
  { weight: 1, arbitrary: fc.constant('hangs' as const) },
  { weight: 1, arbitrary: fc.constant('ignores the limit' as const) },
);

/** Any graph without a cycle: each step needs some of the steps before it, and then the list is shuffled. */
const scenarios: fc.Arbitrary<Scenario> = fc
  .record({
    steps: fc.array(
      fc.record({
        /** Position among the steps before it, as a fraction. */
        needs: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { maxLength: 4 }),
        place: fc.nat(1_000),
        durationMs: fc.oneof(fc.constant(0), fc.nat(400)),
        attempts: fc.array(outcome, { minLength: 1, maxLength: 3 }),
        tries: fc.integer({ min: 1, max: 4 }),
        timeoutMs: fc.integer({ min: 50, max: 500 }),
      }),
      { minLength: 1, maxLength: 60 },
    ),
    maxParallel: fc.integer({ min: 1, max: 9 }),
    cancelAtMs: fc.option(fc.nat(2_000), { nil: undefined, freq: 3 }),
  })
  .map(({ steps, ...rest }) => ({
    ...rest,
    steps: steps
      .map(({ needs, place, ...step }, index) => ({
        place,
        step: {
          ...step,
          id: `s${index}`,
          needs: [...new Set(needs.map((part) => `s${Math.floor(part * index)}`))].filter(() => index > 0),
        },
      }))
      .sort((a, b) => a.place - b.place)
      .map(({ step }) => step),
  }));

interface Observed {
  events: RunEvent[];
  result: RunResult | undefined;
  activeMax: number;
  timersLeft: number;
}

async function observe({ steps, maxParallel, cancelAtMs }: Scenario): Promise<Observed> {
  const time = new SimulatedTime();
  const events: Observed['events'] = [];
  const cancel = new AbortController();
  let active = 0;
  let activeMax = 0;
  let result: RunResult | undefined;
  const attemptsOf = new Map<string, number>();
  const plan = planOfSteps(
    ...steps.map((spec) => ({
      ...spec,
      retry: { attempts: spec.tries, initialMs: 10, factor: 2, capMs: 50 },
      async run({ signal }: { signal: AbortSignal }) {
        const attempt = attemptsOf.get(spec.id) ?? 0;
        attemptsOf.set(spec.id, attempt + 1);
        const does = spec.attempts[attempt] ?? spec.attempts.at(-1);
        activeMax = Math.max(activeMax, ++active);
        try {
          if (does === 'hangs') await time.sleep(1e9, signal);
          await time.sleep(spec.durationMs, does === 'ignores the limit' ? undefined : signal);
          if (does === 'fails') throw fail('E_API_UNAUTHORIZED', { server: 'https://c', what: spec.id });
          if (does === 'fails for now') throw fail('E_API_UNREACHABLE', { server: 'https://c', what: spec.id });
        } finally {
          active--;
        }
      },
    })),
  );
  if (cancelAtMs !== undefined)
    time.setTimeout(() => cancel.abort(fail('E_CANCELLED', { signal: 'SIGINT' })), cancelAtMs);
  const running = run({
    plan,
    host: memoryHost({ now: () => new Date(time.now()) }),
    onEvent: (event) => events.push(event),
    signal: cancel.signal,
    clock: time,
    maxParallel,
  }).then((ended) => {
    result = ended;
  });
  await time.passAll();
  if (result !== undefined) await running;
  return { events, result, activeMax, timersLeft: time.pending };
}

const endedWell = new Set(['succeeded', 'undecided']);

describe('any run', () => {
  test('a run ends in the same way each time, in the order of its needs, within its parallel limit', async () => {
    const seen: Record<string, number> = {};
    await fc.assert(
      fc.asyncProperty(scenarios, async (scenario) => {
        const { events, result, activeMax, timersLeft } = await observe(scenario);

        if (result === undefined) throw new Error('the run did not end');
        seen[result.status] = (seen[result.status] ?? 0) + 1;
        expect(timersLeft).toBe(0);
        expect(activeMax).toBeLessThanOrEqual(scenario.maxParallel);

        const needsOf = new Map(scenario.steps.map(({ id, needs }) => [id, needs]));
        const ended = new Map<string, string>();
        const begun = new Set<string>();
        for (const event of events) {
          if (!('step' in event)) continue;
          expect(ended.has(event.step), `${event.type} after the end of ${event.step}`).toBe(false);
          if (event.type === 'step.started') {
            begun.add(event.step);
            for (const need of needsOf.get(event.step) ?? [])
              expect(endedWell.has(ended.get(need) ?? ''), `${event.step} began before ${need} ended well`).toBe(true);
            expect(begun.size - ended.size).toBeLessThanOrEqual(scenario.maxParallel);
          }
          if (event.type === 'step.ended') ended.set(event.step, event.status);
        }
        expect(ended.size).toBe(begun.size);
        expect(result.steps.map(({ id, status }) => [id, status])).toEqual(
          scenario.steps.map(({ id }) => [id, ended.get(id) ?? 'skipped']),
        );
        for (const [index, step] of result.steps.entries())
          expect(step.attempts).toBeLessThanOrEqual(scenario.steps[index]?.tries ?? 0);

        const statuses = result.steps.map(({ status }) => status);
        const withoutFailure = statuses.every((status) => status === 'succeeded') ? 'succeeded' : 'cancelled';
        const expected = statuses.includes('failed') ? 'failed' : withoutFailure;
        expect(result.status).toBe(expected);
        if (expected === 'cancelled') expect(scenario.cancelAtMs).toBeDefined();
        expect(result.error === undefined).toBe(expected === 'succeeded');

        expect((await observe(scenario)).events).toEqual(events);
      }),
      { numRuns: 150, interruptAfterTimeLimit: 10_000 }, // the limit for shrinking a failure
    );
    for (const status of ['succeeded', 'failed', 'cancelled']) expect(seen[status], status).toBeGreaterThan(5);
  });

  test('a run without failures runs every step', async () => {
    const good = scenarios.map(({ steps, maxParallel }) => ({
      maxParallel,
      cancelAtMs: undefined,
      steps: steps.map((step) => ({ ...step, attempts: ['succeeds' as const], timeoutMs: 60_000 })),
    }));
    await fc.assert(
      fc.asyncProperty(good, async (scenario) => {
        const { result } = await observe(scenario);
        expect(result?.steps.map(({ status }) => status)).toEqual(scenario.steps.map(() => 'succeeded'));
      }),
      { numRuns: 50, interruptAfterTimeLimit: 5_000 },
    );
  });
});

describe('time', () => {
  /** Each step needs the one 8 before it, and one of the last hundred: wide, deep, and with many edges. */
  const steps = (count: number) =>
    planOfSteps(
      ...Array.from({ length: count }, (_, index) => ({
        id: `s${index}`,
        needs: index < 8 ? [] : [`s${index - 8}`, ...(index % 3 === 0 ? [`s${Math.max(0, index - 100)}`] : [])],
        run: () => ({}),
      })),
    );
  const millisecondsFor = async (count: number): Promise<number> => {
    const plan = steps(count);
    const host = memoryHost();
    const begun = performance.now();
    const { status } = await run({ plan, host });
    expect(status).toBe('succeeded');
    return performance.now() - begun;
  };

  test('a run of 10,000 trivial steps takes seconds, and each step about as long as in one of 1,000', async () => {
    await millisecondsFor(1_000); // warm
    const small = Math.min(await millisecondsFor(1_000), await millisecondsFor(1_000));
    const large = await millisecondsFor(10_000);
    expect(large).toBeLessThan(15_000);
    expect(large / 10 / small).toBeLessThan(3);
  }, 60_000);
});
