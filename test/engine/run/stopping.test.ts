import { describe, expect, test } from 'vitest';
import { failing, machineRun, PERMANENT, step, TRANSIENT, unstoppable, working } from '../../helpers/machine-run.ts';

describe('cancelling', () => {
  test('a cancellation aborts the running steps, waits for them, and skips the rest', async () => {
    const reasons: unknown[] = [];
    const run = machineRun({
      steps: [step('a'), step('b'), step('c', 'a')],
      attempt: async ({ signal }, time) => {
        await time.sleep(5_000, signal).catch((reason) => reasons.push(reason));
        await time.sleep(200);
        throw signal.reason;
      },
    });
    await run.time.pass(1_000);
    run.cancel();
    expect(run.state()).toBe('stopping');
    await run.time.pass(199);
    expect(run.ends()).toEqual([]);
    await run.time.passAll();
    expect(reasons).toEqual([
      expect.objectContaining({ code: 'E_CANCELLED' }),
      expect.objectContaining({ code: 'E_CANCELLED' }),
    ]);
    expect(run.events.filter(({ type }) => type === 'step.ended')).toEqual([
      { at: 1_200, type: 'step.ended', id: 'a', status: 'cancelled', attempts: 1 },
      { at: 1_200, type: 'step.ended', id: 'b', status: 'cancelled', attempts: 1 },
    ]);
    expect(run.frontier.status('c')).toBe('skipped');
    expect(run.state()).toBe('cancelled');
    expect(run.time.pending).toBe(0);
  });

  test('a cancellation ends a pause between attempts at once', async () => {
    const run = machineRun({ steps: [step('a')], attempt: failing(TRANSIENT) });
    await run.time.pass(250); // in the second pause
    run.cancel();
    await run.time.passAll();
    expect(run.events.at(-1)).toEqual({ at: 250, type: 'step.ended', id: 'a', status: 'cancelled', attempts: 2 });
    expect(run.state()).toBe('cancelled');
    expect(run.time.now()).toBe(250);
  });

  test('a step that is stopping at its time limit becomes cancelled, and is not retried', async () => {
    const run = machineRun({
      steps: [{ ...step('a'), timeoutMs: 1_000 }],
      attempt: async (_, time) => {
        await time.sleep(3_000);
        throw TRANSIENT;
      },
    });
    await run.time.pass(2_000);
    run.cancel();
    await run.time.passAll();
    expect(run.events.at(-1)).toEqual({ at: 3_000, type: 'step.ended', id: 'a', status: 'cancelled', attempts: 1 });
    expect(run.state()).toBe('cancelled');
  });

  test('a cancellation does not prolong the grace period of a step that is stopping', async () => {
    const run = machineRun({
      steps: [{ ...step('a'), timeoutMs: 1_000 }],
      attempt: () => new Promise(() => undefined),
    });
    await run.time.pass(4_000);
    run.cancel();
    await run.time.passAll();
    expect(run.events.at(-1)).toMatchObject({ at: 6_000, status: 'failed' });
  });

  test('an attempt that succeeds while the run is cancelled counts as succeeded', async () => {
    const run = machineRun({ steps: [step('a'), step('b', 'a')], attempt: unstoppable(100) });
    await run.time.pass(50);
    run.cancel();
    await run.time.passAll();
    expect(run.ends()).toEqual(['a succeeded']);
    expect(run.frontier.status('b')).toBe('skipped');
    expect(run.state()).toBe('cancelled');
  });

  test('a second cancellation changes nothing', async () => {
    const run = machineRun({ steps: [step('a')], attempt: working(100) });
    run.cancel();
    run.cancel();
    await run.time.passAll();
    expect(run.ends()).toEqual(['a cancelled']);
    expect(run.state()).toBe('cancelled');
  });
});

describe('a failed step', () => {
  test('a failed step stops the running steps and skips the rest', async () => {
    const run = machineRun({
      steps: [step('bad'), step('slow'), step('quick'), step('after-slow', 'slow'), step('after-quick', 'quick')],
      attempt: async (input, time) => {
        if (input.id === 'quick') return working(10)(input, time);
        if (input.id === 'bad') {
          await time.sleep(20);
          throw PERMANENT;
        }
        return working(1_000)(input, time);
      },
    });
    await run.time.passAll();
    expect(run.ends()).toEqual(['quick succeeded', 'bad failed', 'slow cancelled', 'after-quick cancelled']);
    expect(run.frontier.status('after-slow')).toBe('skipped');
    expect(run.time.now()).toBe(20);
    expect(run.state()).toBe('failed');
  });

  test('steps that became ready at the same moment as a failure do not start', async () => {
    const run = machineRun({
      steps: [step('bad'), step('next')],
      attempt: async ({ id }, time) => {
        await time.sleep(10);
        if (id === 'bad') throw PERMANENT;
        return 'succeeded';
      },
      maxParallel: 1,
    });
    await run.time.passAll();
    expect(run.started()).toEqual(['0 bad']);
    expect(run.frontier.status('next')).toBe('skipped');
  });

  test('if a second step fails while it is stopping, both errors are reported', async () => {
    const run = machineRun({
      steps: [step('a'), step('b')],
      attempt: async ({ id }, time) => {
        await time.sleep(id === 'a' ? 10 : 20);
        throw new Error(id);
      },
    });
    await run.time.passAll();
    expect(run.events.filter(({ type }) => type === 'step.ended')).toEqual([
      { at: 10, type: 'step.ended', id: 'a', status: 'failed', attempts: 1, error: new Error('a') },
      { at: 20, type: 'step.ended', id: 'b', status: 'cancelled', attempts: 1 },
    ]);
    expect(run.state()).toBe('failed');
  });

  test('a step that hangs does not keep a failed run from ending', async () => {
    const run = machineRun({
      steps: [step('bad'), step('hangs')],
      attempt: ({ id }) => (id === 'bad' ? Promise.reject(PERMANENT) : new Promise(() => undefined)),
    });
    await run.time.passAll();
    expect(run.ends()).toEqual(['bad failed', 'hangs failed']);
    expect(run.time.now()).toBe(5_000);
    expect(run.state()).toBe('failed');
  });
});

describe('checks that are running when a step fails', () => {
  const check = (id: string, ...needs: string[]) => ({ ...step(id, ...needs), isCheck: true });

  test('they end first, so that one run reports everything that is missing', async () => {
    const run = machineRun({
      steps: [check('a'), check('b'), step('change'), check('later', 'b')],
      attempt: async ({ id, signal }, time) => {
        await time.sleep(id === 'b' ? 3_000 : 100, id === 'change' ? AbortSignal.any([signal]) : signal);
        if (id !== 'change') throw PERMANENT;
        await time.sleep(60_000, signal);
        return 'succeeded';
      },
    });
    await run.time.passAll();
    expect(run.ends()).toEqual(['a failed', 'change cancelled', 'b failed']);
    expect(run.events.at(-1)).toMatchObject({ at: 3_100 - 100, id: 'b' });
    expect([run.frontier.status('later'), run.state()]).toEqual(['skipped', 'failed']);
  });

  test('none of them is tried again, so an error that may pass is reported at once', async () => {
    const run = machineRun({
      steps: [check('a'), { ...check('b'), retry: { attempts: 9, initialMs: 60_000, factor: 1, capMs: 60_000 } }],
      attempt: async ({ id, signal }, time) => {
        await time.sleep(id === 'b' ? 50 : 100, signal);
        throw id === 'b' ? TRANSIENT : PERMANENT;
      },
    });
    await run.time.passAll();
    expect([run.ends(), run.state(), run.time.now()]).toEqual([['a failed', 'b failed'], 'failed', 100]);
  });

  test('one that hangs is stopped after 5 s', async () => {
    const run = machineRun({
      steps: [check('a'), check('b')],
      attempt: async ({ id, signal }, time) => {
        await time.sleep(id === 'b' ? 60_000 : 100, signal);
        throw PERMANENT;
      },
    });
    await run.time.passAll();
    expect([run.ends(), run.time.now()]).toEqual([['a failed', 'b cancelled'], 5_100]);
  });

  test('a cancellation stops them', async () => {
    const run = machineRun({
      steps: [check('a'), check('b')],
      attempt: async ({ id, signal }, time) => {
        await time.sleep(id === 'b' ? 60_000 : 100, signal);
        throw PERMANENT;
      },
    });
    await run.time.pass(500);
    expect(run.state()).toBe('checking');
    run.cancel();
    await run.time.passAll();
    expect([run.ends(), run.state(), run.time.now()]).toEqual([['a failed', 'b cancelled'], 'failed', 500]);
  });
});
