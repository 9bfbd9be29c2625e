import { describe, expect, test } from 'vitest';
import {
  failing,
  type MachineSetup,
  machineRun,
  PERMANENT,
  RETRY,
  step,
  TRANSIENT,
  unstoppable,
  working,
} from '../../helpers/machine-run.ts';

describe('the time limit', () => {
  const limited = { ...step('a'), timeoutMs: 1_000 };

  test('the time limit aborts the attempt with its reason, and waits until the attempt has ended', async () => {
    let reason: unknown;
    let endedAt: number | undefined;
    const run = machineRun({
      steps: [limited, step('b', 'a')],
      attempt: async ({ signal }, time) => {
        await time.sleep(50_000, signal).catch(() => undefined);
        reason = signal.reason;
        await time.sleep(300); // cleans up
        endedAt = time.now();
        throw signal.reason;
      },
    });
    await run.time.pass(1_299);
    expect(reason).toMatchObject({
      code: 'E_STEP_TIME_LIMIT',
      message: 'step a did not finish within its time limit of 1 s',
      exitCode: 7,
    });
    expect(run.children()).toEqual(['a']);
    expect(run.ends()).toEqual([]);
    await run.time.passAll();
    expect(endedAt).toBe(1_300);
    expect(run.events.at(-1)).toEqual({
      at: 1_300,
      type: 'step.ended',
      id: 'a',
      status: 'failed',
      attempts: 1,
      error: reason,
    });
    expect(run.frontier.status('b')).toBe('skipped');
    expect(run.time.pending).toBe(0);
  });

  test('the time limit starts again for each attempt, and does not count pauses', async () => {
    const { time, ends } = machineRun({
      steps: [{ ...limited, retry: { attempts: 3, initialMs: 5_000, factor: 1, capMs: 5_000 } }],
      attempt: async ({ attempt, signal }, clock) => {
        await clock.sleep(900, signal);
        if (attempt < 3) throw TRANSIENT;
        return 'succeeded';
      },
    });
    expect(await time.passAll()).toBe(900 * 3 + 5_000 * 2);
    expect(ends()).toEqual(['a succeeded']);
  });

  test('an attempt that ends in time is not aborted', async () => {
    let aborted: boolean | undefined;
    const { time, ends } = machineRun({
      steps: [limited],
      attempt: async ({ signal }, clock) => {
        await clock.sleep(999);
        aborted = signal.aborted;
        return 'succeeded';
      },
    });
    await time.passAll();
    expect([ends(), aborted, time.now()]).toEqual([['a succeeded'], false, 999]);
  });

  test('an attempt that succeeds while its time limit stops it counts as succeeded', async () => {
    const { time, events, state } = machineRun({ steps: [limited], attempt: unstoppable(3_000) });
    await time.passAll();
    expect(events.at(-1)).toEqual({ at: 3_000, type: 'step.ended', id: 'a', status: 'succeeded', attempts: 1 });
    expect(state()).toBe('succeeded');
  });

  test('an attempt that ignores its signal fails after the grace period', async () => {
    const { time, events, state } = machineRun({ steps: [limited], attempt: () => new Promise(() => undefined) });
    await time.passAll();
    const end = events.at(-1);
    expect(end).toMatchObject({ at: 6_000, type: 'step.ended', id: 'a', status: 'failed', attempts: 1 });
    expect(end).toHaveProperty('error.code', 'E_STEP_STUCK');
    expect(end).toHaveProperty('error.message', 'step a did not stop within 5 s after it was cancelled');
    expect(end).toHaveProperty('error.transient', false);
    expect(state()).toBe('failed');
  });

  test('a transient error of a stopped attempt is retried within the policy', async () => {
    const { time, events } = machineRun({
      steps: [limited],
      attempt: async ({ attempt, signal }, clock) => {
        if (attempt === 2) return 'succeeded';
        await clock.sleep(50_000, signal).catch(() => undefined);
        throw TRANSIENT;
      },
    });
    await time.passAll();
    expect(events.at(-1)).toEqual({ at: 1_100, type: 'step.ended', id: 'a', status: 'succeeded', attempts: 2 });
  });
});

describe('the total time limit', () => {
  const limited = { ...step('a'), totalMs: 1_000 };

  test('the total time limit stops the current attempt, and no other follows', async () => {
    const { time, events } = machineRun({
      steps: [{ ...limited, retry: { ...RETRY, on: ['transient', 'E_STEP_TIME_LIMIT'] } }],
      attempt: async (_, clock) => {
        await clock.sleep(600);
        throw TRANSIENT;
      },
    });
    await time.passAll();
    expect(events.at(-1)).toMatchObject({ at: 1_300, status: 'failed', attempts: 2, error: TRANSIENT });
    expect(time.pending).toBe(0);
  });

  test('the total time limit aborts with its reason', async () => {
    const { time, events } = machineRun({ steps: [limited], attempt: working(5_000) });
    await time.passAll();
    expect(events.at(-1)).toMatchObject({ at: 1_000, status: 'failed', attempts: 1 });
    expect(events.at(-1)).toHaveProperty(
      'error.message',
      'step a did not finish within its time limit of 1 s for all attempts',
    );
  });

  test('the total time limit ends a pause with the error of the last attempt', async () => {
    const retry = { attempts: 9, initialMs: 800, factor: 1, capMs: 800 };
    const { time, events } = machineRun({ steps: [{ ...limited, retry }], attempt: failing(TRANSIENT) });
    await time.passAll();
    expect(events.at(-1)).toMatchObject({ at: 1_000, status: 'failed', attempts: 2, error: TRANSIENT });
  });

  test('a total time limit that is not reached leaves no timer', async () => {
    const { time, ends } = machineRun({ steps: [limited], attempt: working(10) });
    expect(await time.passAll()).toBe(10);
    expect([ends(), time.pending]).toEqual([['a succeeded'], 0]);
  });

  test('the total time limit does not apply to an undo', async () => {
    const run = machineRun({
      steps: [limited, step('b', 'a')],
      attempt: async ({ id, direction }, time) => {
        if (direction === 'undo') {
          await time.sleep(3_000);
          return 'undone';
        }
        if (id === 'b') throw PERMANENT;
        return 'succeeded';
      },
      onFailure: 'undo',
    });
    await run.time.passAll();
    expect(run.ends()).toEqual(['a succeeded', 'b failed', 'b undone', 'a undone']);
  });
});

describe('a step that waits for an approval', () => {
  const asking =
    (leftMs: number, answerAfterMs: number): MachineSetup['attempt'] =>
    async ({ signal, waiting }, time) => {
      await time.sleep(100, signal);
      waiting(leftMs);
      await time.sleep(answerAfterMs, signal);
      return 'succeeded';
    };
  const limited = { ...step('a'), timeoutMs: 1_000, totalMs: 2_000 };

  test('an approval has its deadline instead of the time limits of the step', async () => {
    const run = machineRun({ steps: [limited], attempt: asking(60_000, 50_000) });
    await run.time.pass(40_000);
    expect(run.ends()).toEqual([]);
    await run.time.passAll();
    expect([run.ends(), run.time.now(), run.time.pending]).toEqual([['a succeeded'], 50_100, 0]);
  });

  test('an approval is stopped at its deadline', async () => {
    const run = machineRun({ steps: [limited], attempt: asking(60_000, 70_000) });
    await run.time.passAll();
    expect(run.events.at(-1)).toMatchObject({ at: 60_100, status: 'failed', error: { code: 'E_APPROVAL_TIMEOUT' } });
  });

  test('the deadline of an approval may be longer than the longest timer of Node', async () => {
    const days = 24 * 3_600_000;
    const run = machineRun({ steps: [limited], attempt: asking(90 * days, 100 * days) });
    await run.time.passAll();
    expect(run.events.at(-1)).toMatchObject({ at: 90 * days + 100, error: { code: 'E_APPROVAL_TIMEOUT' } });
  });

  test('an approval is cancelled at once', async () => {
    const run = machineRun({ steps: [limited], attempt: asking(60_000, 50_000) });
    await run.time.pass(5_000);
    run.cancel();
    await run.time.passAll();
    expect([run.ends(), run.time.now(), run.time.pending]).toEqual([['a cancelled'], 5_000, 0]);
  });
});
