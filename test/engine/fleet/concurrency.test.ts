import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Concurrency } from '../../../engine/fleet/concurrency.ts';

const never = () => new AbortController().signal;
const quick = (concurrency: Concurrency, count: number, startedMs = 0) => {
  for (let index = 0; index < count; index++) concurrency.observe({ startedMs, endedMs: startedMs + 10 });
};

describe('how many machines join at once', () => {
  test('quick answers raise the limit to the maximum, and no further', () => {
    const concurrency = new Concurrency(20);
    expect(concurrency.limit).toBe(4);
    quick(concurrency, 100);
    expect({ limit: concurrency.limit, reason: concurrency.reason }).toEqual({ limit: 20, reason: undefined });
  });

  test('an overload halves the limit and says why; requests of the same moment count once', () => {
    const concurrency = new Concurrency(20);
    quick(concurrency, 100);
    const endedMs = Date.parse('2026-12-01T10:02:11Z');
    for (let index = 0; index < 5; index++)
      concurrency.observe({ startedMs: endedMs - 100, endedMs, overload: 'HTTP 429' });
    expect({ limit: concurrency.limit, reason: concurrency.reason }).toEqual({
      limit: 10,
      reason: 'API server: HTTP 429 at 10:02:11Z',
    });
    concurrency.observe({ startedMs: endedMs + 1, endedMs: endedMs + 2, overload: 'HTTP 429' });
    expect(concurrency.limit).toBe(5);
  });

  test('after an overload, the limit grows by one for each round of joins', () => {
    const concurrency = new Concurrency(20);
    quick(concurrency, 100);
    concurrency.observe({ startedMs: 1, endedMs: 2, overload: 'HTTP 429' });
    quick(concurrency, 11, 3);
    expect(concurrency.limit).toBe(11);
  });

  test('slow answers stop the growth', () => {
    const concurrency = new Concurrency(20);
    for (let index = 0; index < 50; index++) concurrency.observe({ startedMs: 0, endedMs: 1_500 });
    expect({ limit: concurrency.limit, reason: concurrency.reason }).toEqual({
      limit: 4,
      reason: 'API server: an answer took 1.5 s',
    });
  });

  test('the limit stays between 1 and the maximum, whatever happens', () => {
    const observation = fc.record({
      startedMs: fc.nat(100_000),
      endedMs: fc.nat(100_000),
      overload: fc.option(fc.constant('HTTP 429'), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.array(observation), (maximum, observations) => {
        const concurrency = new Concurrency(maximum);
        for (const { overload, ...times } of observations)
          concurrency.observe(overload === undefined ? times : { ...times, overload });
        expect(concurrency.limit).toBeGreaterThanOrEqual(1);
        expect(concurrency.limit).toBeLessThanOrEqual(maximum);
      }),
    );
  });

  test('a machine waits until another one has finished, and one whose request has ended waits no more', async () => {
    const concurrency = new Concurrency(1);
    const first = await concurrency.acquire(never());
    const ended = new AbortController();
    const abandoned = concurrency.acquire(ended.signal);
    let hasStarted = false;
    const second = concurrency.acquire(never()).then((permit) => {
      hasStarted = true;
      return permit;
    });
    ended.abort();
    (await abandoned).release();
    await new Promise(setImmediate);
    expect({ hasStarted, joining: concurrency.joining }).toEqual({ hasStarted: false, joining: 1 });
    first.release();
    first.release();
    await second;
    expect({ hasStarted, joining: concurrency.joining }).toEqual({ hasStarted: true, joining: 1 });
  });

  test('a permit ends with the request that has it', async () => {
    const concurrency = new Concurrency(1);
    const request = new AbortController();
    await concurrency.acquire(request.signal);
    request.abort();
    expect(concurrency.joining).toBe(0);
  });
});
