/** A delay is as long as was asked for, however long that is. Timers of Node end at once beyond 2^31 - 1 ms. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { durationMs } from '../../engine/documents/durations.ts';
import { signalAfter, sleep, startTimer } from '../../engine/limits/timers.ts';
import { run } from '../../engine/run/run.ts';
import { fail } from '../../engine/sdk/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import { planOfSteps } from '../helpers/plans.ts';
import { sourcesBelow } from '../helpers/sources.ts';

const DAY_MS = 86_400_000;

describe('a duration', () => {
  test.each(['99999999h', '9999999999999h', `${'9'.repeat(400)}h`])(
    'a duration of more than 292 years still has an end that is a date: %s',
    (text) => {
      const ms = durationMs(text);
      expect(ms).toBeGreaterThan(292 * 365 * DAY_MS);
      expect(new Date(Date.now() + ms).getUTCFullYear()).toBeLessThan(9999);
    },
  );
});

describe('a delay', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test.each([0, 1, 30_000, 24 * DAY_MS, 2 ** 31 - 1, 2 ** 31, 25 * DAY_MS, 400 * DAY_MS])(
    'a delay of %i ms ends then, and not before',
    async (ms) => {
      let ended = false;
      startTimer(ms, () => {
        ended = true;
      });
      await vi.advanceTimersByTimeAsync(Math.max(0, ms - 1));
      expect(ended).toBe(ms === 0);
      await vi.advanceTimersByTimeAsync(1);
      expect(ended).toBe(true);
    },
  );

  test('a delay without an end continues', async () => {
    let ended = false;
    const timer = startTimer(Number.POSITIVE_INFINITY, () => {
      ended = true;
    });
    await vi.advanceTimersByTimeAsync(100 * DAY_MS);
    expect(ended).toBe(false);
    timer.cancel();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a delay that is cancelled after a month does not end', async () => {
    const act = vi.fn();
    const timer = startTimer(60 * DAY_MS, act);
    await vi.advanceTimersByTimeAsync(30 * DAY_MS);
    timer.cancel();
    await vi.advanceTimersByTimeAsync(60 * DAY_MS);
    expect(act).not.toHaveBeenCalled();
  });
});

test('a pause of years ends when its signal is aborted, and not at once', async () => {
  const stop = new AbortController();
  let outcome = 'pauses';
  const paused = sleep(Number.MAX_SAFE_INTEGER, stop.signal).then(
    () => {
      outcome = 'ended';
    },
    () => {
      outcome = 'stopped';
    },
  );
  await sleep(50);
  expect(outcome).toBe('pauses');
  stop.abort();
  await paused;
  expect(outcome).toBe('stopped');
});

test('a signal of years is not aborted at once', async () => {
  const signal = signalAfter(1_000 * DAY_MS);
  await sleep(50);
  expect(signal.aborted).toBe(false);
});

test.each([
  ['timeout', { timeoutMs: 25 * DAY_MS }],
  ['total', { timeoutMs: 60_000, totalMs: 600 * 3_600_000 }],
])('a step with a %s of 25 days is not stopped at once', async (_, limits) => {
  const plan = planOfSteps({
    id: 'a',
    ...limits,
    retry: { attempts: 3, initialMs: 1, factor: 1, capMs: 1 },
    run: async () => {
      await sleep(30);
      throw fail('E_WAIT', { what: 'x', said: '' });
    },
  });
  const { error } = await run({ plan, host: memoryHost() });
  expect(error).toMatchObject({ code: 'E_WAIT' });
});

test('no other file starts a timer', () => {
  const STARTS = /from 'node:timers|AbortSignal\.timeout\(|(?<!override |[.\w])setTimeout\((?!act:|fn:)/;
  const found = sourcesBelow('bin', 'engine', 'phases').filter(({ text }) => STARTS.test(text));
  expect(found.map(({ path }) => path).filter((path) => !path.startsWith('engine/testing/'))).toEqual([
    'engine/limits/timers.ts',
  ]);
  for (const text of [
    "import { setTimeout } from 'node:timers/promises'",
    ' setTimeout(() => x, 5)',
    'AbortSignal.timeout(5)',
  ])
    expect(text).toMatch(STARTS);
});
