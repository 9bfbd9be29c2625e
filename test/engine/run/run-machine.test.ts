import { describe, expect, test } from 'vitest';
import { createActor, initialTransition, type SnapshotFrom, transition } from 'xstate';
import { Frontier, type FrontierStep } from '../../../engine/run/frontier.ts';
import { runMachine } from '../../../engine/run/run-machine.ts';
import {
  type Attempt,
  type AttemptInput,
  type MachineEvent,
  type StepPolicy,
  stepMachine,
} from '../../../engine/run/step-machine.ts';
import { fail, JoinError } from '../../../engine/sdk/errors.ts';
import { SimulatedTime } from '../../helpers/simulated-time.ts';

const TRANSIENT = fail('E_API_UNREACHABLE', { server: 'https://c', what: 'refused' });
const PERMANENT = fail('E_API_UNAUTHORIZED', { server: 'https://c', what: 'get nodes' });
const RETRY = { attempts: 4, initialMs: 100, factor: 3, capMs: 500 };

type Told = { at: number } & (MachineEvent extends infer E
  ? E extends unknown
    ? Omit<E, 'direction'>
    : never
  : never);

interface Setup {
  steps: (FrontierStep & Partial<StepPolicy>)[];
  attempt: (input: AttemptInput, time: SimulatedTime) => ReturnType<Attempt>;
  maxParallel?: number;
  onFailure?: 'undo' | 'keep';
  random?: number;
}

/** A run on simulated time: what was told, when, and what it looks like from outside. */
function machineRun({ steps, attempt, maxParallel = 8, onFailure = 'keep', random = 0.5 }: Setup) {
  const time = new SimulatedTime();
  const frontier = new Frontier(steps);
  const told: Told[] = [];
  const actor = createActor(runMachine, {
    clock: time,
    input: {
      frontier,
      policies: new Map(steps.map((step) => [step.id, { timeoutMs: 10_000, retry: RETRY, ...step }])),
      attempt: (input) => attempt(input, time),
      decide: () => 'run',
      notify: ({ ...event }) => {
        if ('direction' in event) delete (event as { direction?: string }).direction; // `run`, but for undoing
        told.push({ at: time.now(), ...event });
      },
      random: () => random,
      maxParallel,
      direction: 'run',
      restore: async () => undefined,
      onFailure,
      onCancel: onFailure,
    },
  });
  actor.start();
  return {
    time,
    told,
    frontier,
    cancel: () => actor.send({ type: 'cancel' }),
    state: () => actor.getSnapshot().value,
    children: () => Object.keys(actor.getSnapshot().children),
    ends: () => told.flatMap((event) => (event.type === 'step.ended' ? [`${event.id} ${event.status}`] : [])),
    started: () => told.flatMap((event) => (event.type === 'step.started' ? [`${event.at} ${event.id}`] : [])),
  };
}

const step = (id: string, ...needs: string[]) => ({ id, needs });
/** Takes `ms`, and ends at once when it is told to. */
const working =
  (ms: number): Setup['attempt'] =>
  async ({ signal }, time) => {
    await time.sleep(ms, signal);
    return 'succeeded';
  };
/** Takes `ms` whatever it is told. */
const deaf =
  (ms: number): Setup['attempt'] =>
  async (_, time) => {
    await time.sleep(ms);
    return 'succeeded';
  };
const failing =
  (error: unknown): Setup['attempt'] =>
  async () => {
    throw error;
  };

describe('one step', () => {
  test('is started, and ends as its attempt ends', async () => {
    const { time, told, state } = machineRun({ steps: [step('a')], attempt: working(30) });
    await time.passAll();
    expect(told).toEqual([
      { at: 0, type: 'step.started', id: 'a', attempt: 1 },
      { at: 30, type: 'step.ended', id: 'a', status: 'succeeded', attempts: 1 },
    ]);
    expect(state()).toBe('succeeded');
  });

  test('may end undecided', async () => {
    const { time, ends, state } = machineRun({ steps: [step('a'), step('b', 'a')], attempt: async () => 'undecided' });
    await time.passAll();
    expect(ends()).toEqual(['a undecided', 'b undecided']);
    expect(state()).toBe('succeeded');
  });

  test('is tried again after a transient error, with pauses of initial·factor^n up to the cap', async () => {
    const { time, told, state } = machineRun({ steps: [step('a')], attempt: failing(TRANSIENT) });
    await time.passAll();
    const retrying = { type: 'step.retrying', id: 'a', error: TRANSIENT };
    expect(told).toEqual([
      { at: 0, type: 'step.started', id: 'a', attempt: 1 },
      { at: 0, ...retrying, attempt: 1, pauseMs: 100 },
      { at: 100, type: 'step.started', id: 'a', attempt: 2 },
      { at: 100, ...retrying, attempt: 2, pauseMs: 300 },
      { at: 400, type: 'step.started', id: 'a', attempt: 3 },
      { at: 400, ...retrying, attempt: 3, pauseMs: 500 }, // 900, capped
      { at: 900, type: 'step.started', id: 'a', attempt: 4 },
      { at: 900, type: 'step.ended', id: 'a', status: 'failed', attempts: 4, error: TRANSIENT },
    ]);
    expect(state()).toBe('failed');
  });

  test('pauses at least as long as the server asked for, but no longer than an attempt may take', async () => {
    const busy = (retryAfterMs: number) =>
      fail('E_API_UNAVAILABLE', { server: 'https://c', what: 'get nodes', status: 429, message: '', retryAfterMs });
    const asked = [busy(7_000), busy(50), busy(3_600_000)];
    const { time, told } = machineRun({
      steps: [step('a')],
      attempt: async ({ attempt }) => {
        throw asked[attempt - 1] ?? PERMANENT;
      },
    });
    await time.passAll();
    expect(told.flatMap((event) => (event.type === 'step.retrying' ? [event.pauseMs] : []))).toEqual([
      7_000, 300, 10_000,
    ]);
  });

  test('is tried again after the errors that its policy names, and after no others', async () => {
    const tries = async (on: string[], error: unknown) => {
      const { time, told } = machineRun({
        steps: [{ ...step('a'), retry: { ...RETRY, on } }],
        attempt: failing(error),
      });
      await time.passAll();
      return told.filter(({ type }) => type === 'step.started').length;
    };
    expect(await tries(['E_API_UNAUTHORIZED'], PERMANENT)).toBe(4);
    expect(await tries(['E_API_UNAUTHORIZED'], TRANSIENT)).toBe(1);
    expect(await tries(['transient', 'E_API_UNAUTHORIZED'], TRANSIENT)).toBe(4);
    expect(await tries(['E_API_UNAUTHORIZED'], new Error('E_API_UNAUTHORIZED'))).toBe(1);
  });

  test('may be tried again after its time limit', async () => {
    const { time, told } = machineRun({
      steps: [{ ...step('a'), timeoutMs: 1_000, retry: { ...RETRY, attempts: 2, on: ['E_STEP_TIME_LIMIT'] } }],
      attempt: working(2_000),
    });
    expect(await time.passAll()).toBe(2_100);
    expect(told.at(-1)).toMatchObject({ status: 'failed', attempts: 2, error: { code: 'E_STEP_TIME_LIMIT' } });
  });

  test('pauses for longer or shorter by as much as its policy has jitter', async () => {
    const pauses = async (random: number) => {
      const retry = { ...RETRY, jitter: 0.2 };
      const { time, told } = machineRun({ steps: [{ ...step('a'), retry }], attempt: failing(TRANSIENT), random });
      await time.passAll();
      return told.flatMap((event) => (event.type === 'step.retrying' ? [event.pauseMs] : []));
    };
    expect(await pauses(0)).toEqual([80, 240, 400]);
    expect(await pauses(0.5)).toEqual([100, 300, 500]);
    expect(await pauses(1)).toEqual([120, 360, 600]);
  });

  test('that may fail does not stop the run, and what needs it runs', async () => {
    const { time, told, ends, state } = machineRun({
      steps: [{ ...step('a'), allowFailure: true }, step('b', 'a')],
      attempt: async ({ id }) => {
        if (id === 'a') throw PERMANENT;
        return 'succeeded';
      },
    });
    await time.passAll();
    expect(ends()).toEqual(['a failed-allowed', 'b succeeded']);
    expect(told[1]).toMatchObject({ status: 'failed-allowed', error: PERMANENT });
    expect(state()).toBe('succeeded');
  });

  test('that may fail is cancelled like any other', async () => {
    const run = machineRun({ steps: [{ ...step('a'), allowFailure: true }], attempt: working(100) });
    run.cancel();
    await run.time.passAll();
    expect([run.ends(), run.state()]).toEqual([['a cancelled'], 'cancelled']);
  });

  test('that succeeds on a later try has no error left', async () => {
    const { time, told } = machineRun({
      steps: [step('a')],
      attempt: async ({ attempt }) => {
        if (attempt < 3) throw TRANSIENT;
        return 'succeeded';
      },
    });
    await time.passAll();
    expect(told.at(-1)).toEqual({ at: 400, type: 'step.ended', id: 'a', status: 'succeeded', attempts: 3 });
  });

  test.each([
    ['a permanent error', PERMANENT],
    ['a bug', new TypeError('undefined is not a function')],
    ['a thrown text', 'oops'],
    ['an error that only looks transient', { transient: true }],
  ])('ends at once with %s', async (_, error) => {
    const { time, told } = machineRun({ steps: [step('a')], attempt: failing(error) });
    await time.passAll();
    expect(told.slice(1)).toEqual([{ at: 0, type: 'step.ended', id: 'a', status: 'failed', attempts: 1, error }]);
  });

  test('whose policy allows one try is not tried again', async () => {
    const retry = { ...RETRY, attempts: 1 };
    const { time, told } = machineRun({ steps: [{ ...step('a'), retry }], attempt: failing(TRANSIENT) });
    await time.passAll();
    expect(told.map(({ type }) => type)).toEqual(['step.started', 'step.ended']);
  });
});

describe('the time limit', () => {
  const limited = { ...step('a'), timeoutMs: 1_000 };

  test('aborts the attempt with its reason, and waits until it has ended', async () => {
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
    expect(run.told.at(-1)).toEqual({
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

  test('holds for each attempt anew, and not while pausing', async () => {
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

  test('leaves an attempt alone that ends in time', async () => {
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

  test('counts an attempt that still got there while stopping as succeeded', async () => {
    const { time, told, state } = machineRun({ steps: [limited], attempt: deaf(3_000) });
    await time.passAll();
    expect(told.at(-1)).toEqual({ at: 3_000, type: 'step.ended', id: 'a', status: 'succeeded', attempts: 1 });
    expect(state()).toBe('succeeded');
  });

  test('gives an attempt that ignores it up after the grace period', async () => {
    const { time, told, state } = machineRun({ steps: [limited], attempt: () => new Promise(() => undefined) });
    await time.passAll();
    const end = told.at(-1);
    expect(end).toMatchObject({ at: 6_000, type: 'step.ended', id: 'a', status: 'failed', attempts: 1 });
    expect(end).toHaveProperty('error.code', 'E_STEP_STUCK');
    expect(end).toHaveProperty('error.message', 'step a did not stop within 5 s after it was cancelled');
    expect(end).toHaveProperty('error.transient', false);
    expect(state()).toBe('failed');
  });

  test('retries a transient error that came of stopping, within the policy', async () => {
    const { time, told } = machineRun({
      steps: [limited],
      attempt: async ({ attempt, signal }, clock) => {
        if (attempt === 2) return 'succeeded';
        await clock.sleep(50_000, signal).catch(() => undefined);
        throw TRANSIENT;
      },
    });
    await time.passAll();
    expect(told.at(-1)).toEqual({ at: 1_100, type: 'step.ended', id: 'a', status: 'succeeded', attempts: 2 });
  });
});

describe('the time limit of all tries', () => {
  const limited = { ...step('a'), totalMs: 1_000 };

  test('stops the try that it passes in, and there is no other', async () => {
    const { time, told } = machineRun({
      steps: [{ ...limited, retry: { ...RETRY, on: ['transient', 'E_STEP_TIME_LIMIT'] } }],
      attempt: async (_, clock) => {
        await clock.sleep(600);
        throw TRANSIENT;
      },
    });
    await time.passAll();
    expect(told.at(-1)).toMatchObject({ at: 1_300, status: 'failed', attempts: 2, error: TRANSIENT });
    expect(time.pending).toBe(0);
  });

  test('aborts with its reason', async () => {
    const { time, told } = machineRun({ steps: [limited], attempt: working(5_000) });
    await time.passAll();
    expect(told.at(-1)).toMatchObject({ at: 1_000, status: 'failed', attempts: 1 });
    expect(told.at(-1)).toHaveProperty(
      'error.message',
      'step a did not finish within its time limit of 1 s for all attempts',
    );
  });

  test('ends a pause, with what the last try has failed with', async () => {
    const retry = { attempts: 9, initialMs: 800, factor: 1, capMs: 800 };
    const { time, told } = machineRun({ steps: [{ ...limited, retry }], attempt: failing(TRANSIENT) });
    await time.passAll();
    expect(told.at(-1)).toMatchObject({ at: 1_000, status: 'failed', attempts: 2, error: TRANSIENT });
  });

  test('leaves no timer behind where it is not reached', async () => {
    const { time, ends } = machineRun({ steps: [limited], attempt: working(10) });
    expect(await time.passAll()).toBe(10);
    expect([ends(), time.pending]).toEqual([['a succeeded'], 0]);
  });

  test('does not hold for taking back', async () => {
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

describe('a step that waits for somebody', () => {
  const asking =
    (leftMs: number, answerAfterMs: number): Setup['attempt'] =>
    async ({ signal, waiting }, time) => {
      await time.sleep(100, signal);
      waiting(leftMs);
      await time.sleep(answerAfterMs, signal);
      return 'succeeded';
    };
  const limited = { ...step('a'), timeoutMs: 1_000, totalMs: 2_000 };

  test('has their time, and not its own', async () => {
    const run = machineRun({ steps: [limited], attempt: asking(60_000, 50_000) });
    await run.time.pass(40_000);
    expect(run.ends()).toEqual([]);
    await run.time.passAll();
    expect([run.ends(), run.time.now(), run.time.pending]).toEqual([['a succeeded'], 50_100, 0]);
  });

  test('is stopped when that time is up', async () => {
    const run = machineRun({ steps: [limited], attempt: asking(60_000, 70_000) });
    await run.time.passAll();
    expect(run.told.at(-1)).toMatchObject({ at: 60_100, status: 'failed', error: { code: 'E_APPROVAL_TIMEOUT' } });
  });

  test('may have more time than a timer of Node can count', async () => {
    const days = 24 * 3_600_000;
    const run = machineRun({ steps: [limited], attempt: asking(90 * days, 100 * days) });
    await run.time.passAll();
    expect(run.told.at(-1)).toMatchObject({ at: 90 * days + 100, error: { code: 'E_APPROVAL_TIMEOUT' } });
  });

  test('is cancelled at once', async () => {
    const run = machineRun({ steps: [limited], attempt: asking(60_000, 50_000) });
    await run.time.pass(5_000);
    run.cancel();
    await run.time.passAll();
    expect([run.ends(), run.time.now(), run.time.pending]).toEqual([['a cancelled'], 5_000, 0]);
  });
});

describe('cancelling', () => {
  test('aborts what runs, waits for it, and skips the rest', async () => {
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
    expect(run.told.filter(({ type }) => type === 'step.ended')).toEqual([
      { at: 1_200, type: 'step.ended', id: 'a', status: 'cancelled', attempts: 1 },
      { at: 1_200, type: 'step.ended', id: 'b', status: 'cancelled', attempts: 1 },
    ]);
    expect(run.frontier.status('c')).toBe('skipped');
    expect(run.state()).toBe('cancelled');
    expect(run.time.pending).toBe(0);
  });

  test('ends a pause between attempts at once', async () => {
    const run = machineRun({ steps: [step('a')], attempt: failing(TRANSIENT) });
    await run.time.pass(250); // in the second pause
    run.cancel();
    await run.time.passAll();
    expect(run.told.at(-1)).toEqual({ at: 250, type: 'step.ended', id: 'a', status: 'cancelled', attempts: 2 });
    expect(run.state()).toBe('cancelled');
    expect(run.time.now()).toBe(250);
  });

  test('of a step that is stopping for its limit makes it cancelled, and not tried again', async () => {
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
    expect(run.told.at(-1)).toEqual({ at: 3_000, type: 'step.ended', id: 'a', status: 'cancelled', attempts: 1 });
    expect(run.state()).toBe('cancelled');
  });

  test('does not prolong the grace period of a step that is stopping', async () => {
    const run = machineRun({
      steps: [{ ...step('a'), timeoutMs: 1_000 }],
      attempt: () => new Promise(() => undefined),
    });
    await run.time.pass(4_000);
    run.cancel();
    await run.time.passAll();
    expect(run.told.at(-1)).toMatchObject({ at: 6_000, status: 'failed' });
  });

  test('keeps what an attempt finished while it was stopping', async () => {
    const run = machineRun({ steps: [step('a'), step('b', 'a')], attempt: deaf(100) });
    await run.time.pass(50);
    run.cancel();
    await run.time.passAll();
    expect(run.ends()).toEqual(['a succeeded']);
    expect(run.frontier.status('b')).toBe('skipped');
    expect(run.state()).toBe('cancelled');
  });

  test('twice is cancelling once', async () => {
    const run = machineRun({ steps: [step('a')], attempt: working(100) });
    run.cancel();
    run.cancel();
    await run.time.passAll();
    expect(run.ends()).toEqual(['a cancelled']);
    expect(run.state()).toBe('cancelled');
  });
});

describe('a failed step', () => {
  test('stops the others, starts no other, and skips the rest', async () => {
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

  test('starts nothing that became ready at the same moment', async () => {
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

  test('and a second one that fails while stopping: the run is failed, and both errors are told', async () => {
    const run = machineRun({
      steps: [step('a'), step('b')],
      attempt: async ({ id }, time) => {
        await time.sleep(id === 'a' ? 10 : 20);
        throw new Error(id);
      },
    });
    await run.time.passAll();
    expect(run.told.filter(({ type }) => type === 'step.ended')).toEqual([
      { at: 10, type: 'step.ended', id: 'a', status: 'failed', attempts: 1, error: new Error('a') },
      { at: 20, type: 'step.ended', id: 'b', status: 'cancelled', attempts: 1 },
    ]);
    expect(run.state()).toBe('failed');
  });

  test('whose other one hangs still ends the run', async () => {
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

describe('taking back', () => {
  const undone = async (setup: Omit<Setup, 'onFailure'>, cancelAtMs?: number) => {
    const machine = machineRun({ ...setup, onFailure: 'undo' });
    if (cancelAtMs !== undefined) {
      await machine.time.pass(cancelAtMs);
      machine.cancel();
    }
    await machine.time.passAll();
    return machine;
  };
  /** Runs for 10 ms, and is undone in 5. */
  const both: Setup['attempt'] = async ({ direction, signal }, time) => {
    await time.sleep(direction === 'run' ? 10 : 5, signal);
    return direction === 'run' ? 'succeeded' : 'undone';
  };

  test('undoes what ended, one after the other, the last first, the failed one included', async () => {
    const machine = await undone({
      steps: [step('a'), step('b'), step('c', 'b'), step('d', 'c')],
      attempt: async (input, time) => {
        if (input.id === 'c' && input.direction === 'run') throw PERMANENT;
        return both(input, time);
      },
    });
    expect(machine.ends()).toEqual(['a succeeded', 'b succeeded', 'c failed', 'c undone', 'b undone', 'a undone']);
    expect(machine.time.now()).toBe(10 + 3 * 5);
    expect(['a', 'b', 'c', 'd'].map((id) => machine.frontier.status(id))).toEqual([
      'undone',
      'undone',
      'undone',
      'skipped',
    ]);
    expect(machine.state()).toBe('failed');
  });

  test('begins only when nothing is running any more', async () => {
    const machine = await undone({
      steps: [step('bad'), step('slow')],
      attempt: async ({ id, direction, signal }, time) => {
        if (direction === 'undo') return 'undone';
        if (id === 'bad') throw PERMANENT;
        await time.sleep(50_000, signal).catch(() => undefined);
        await time.sleep(300);
        throw signal.reason;
      },
    });
    expect(
      machine.told.flatMap((event) => (event.type === 'step.ended' ? [`${event.at} ${event.id} ${event.status}`] : [])),
    ).toEqual(['0 bad failed', '300 slow cancelled', '300 slow undone', '300 bad undone']);
  });

  test('also takes a cancelled run back, and a second cancelling leaves it as it is', async () => {
    const machine = machineRun({ steps: [step('a'), step('b', 'a')], attempt: both, onFailure: 'undo' });
    await machine.time.pass(12);
    machine.cancel();
    await machine.time.pass(2);
    machine.cancel();
    await machine.time.passAll();
    expect(machine.ends()).toEqual(['a succeeded', 'b cancelled', 'b undo-failed']);
    expect(machine.state()).toBe('cancelled');
  });

  test('goes on where one cannot be undone, and tries it again where that may help', async () => {
    const machine = await undone({
      steps: [step('a'), step('b', 'a'), step('bad', 'b')],
      attempt: async (input, time) => {
        if (input.id === 'bad') throw PERMANENT;
        if (input.id === 'b' && input.direction === 'undo') throw input.attempt < 3 ? TRANSIENT : PERMANENT;
        return both(input, time);
      },
    });
    expect(machine.ends()).toEqual([
      'a succeeded',
      'b succeeded',
      'bad failed',
      'bad undo-failed',
      'b undo-failed',
      'a undone',
    ]);
    expect(
      machine.told.find((event) => event.type === 'step.ended' && event.id === 'b' && event.status === 'undo-failed'),
    ).toMatchObject({ attempts: 3, error: PERMANENT });
    expect(machine.state()).toBe('failed');
  });

  test('is not done where the run succeeds', async () => {
    const machine = await undone({ steps: [step('a')], attempt: both });
    expect([machine.ends(), machine.state()]).toEqual([['a succeeded'], 'succeeded']);
  });
});

describe('many steps', () => {
  const many = Array.from({ length: 10 }, (_, index) => step(`s${index}`));

  test.each([1, 3, 8])('run at most %i at once, and always that many', async (maxParallel) => {
    let active = 0;
    const seen: number[] = [];
    const run = machineRun({
      steps: many,
      maxParallel,
      attempt: async (input, time) => {
        seen.push(++active);
        const end = await working(100)(input, time);
        active--;
        return end;
      },
    });
    await run.time.passAll();
    expect(Math.max(...seen)).toBe(maxParallel);
    expect(run.time.now()).toBe(100 * Math.ceil(10 / maxParallel));
  });

  test('a step that pauses keeps its place', async () => {
    const run = machineRun({
      steps: [step('a'), step('b')],
      maxParallel: 1,
      attempt: async ({ id, attempt }) => {
        if (id === 'a' && attempt === 1) throw TRANSIENT;
        return 'succeeded';
      },
    });
    await run.time.passAll();
    expect(run.started()).toEqual(['0 a', '100 a', '100 b']);
  });

  test('have a machine only while they are active', async () => {
    const run = machineRun({
      steps: [step('a'), step('b', 'a'), step('c', 'a'), step('d', 'b', 'c')],
      attempt: working(100),
    });
    const seen: [number, string[]][] = [];
    for (let at = 0; at < 400; at += 50) {
      seen.push([at, run.children()]);
      await run.time.pass(50);
    }
    expect(seen).toEqual([
      [0, ['a']],
      [50, ['a']],
      [100, ['b', 'c']],
      [150, ['b', 'c']],
      [200, ['d']],
      [250, ['d']],
      [300, []],
      [350, []],
    ]);
  });

  test('none at all succeed at once', () => {
    expect(machineRun({ steps: [], attempt: failing(PERMANENT) }).state()).toBe('succeeded');
  });
});

describe('the step machine as a table', () => {
  type State = 'running' | 'stopping (limit)' | 'stopping (cancel)' | 'backingOff' | 'ended';
  const DONE = { type: 'xstate.done.actor.0.step.active', output: 'succeeded' };
  const THROWS = { type: 'xstate.error.actor.0.step.active', error: PERMANENT };
  const THROWS_TRANSIENT = { type: 'xstate.error.actor.0.step.active', error: TRANSIENT };
  const STOP = { type: 'stop' };
  const LIMIT = { type: 'xstate.after.limit.step.active.running' };
  const GRACE = { type: 'xstate.after.grace.step.active.stopping' };
  const PAUSE = { type: 'xstate.after.pause.step.backingOff' };
  const waysTo: Record<State, object[]> = {
    running: [],
    'stopping (limit)': [LIMIT],
    'stopping (cancel)': [STOP],
    backingOff: [THROWS_TRANSIENT],
    ended: [DONE],
  };
  const input = {
    policy: { id: 'a', timeoutMs: 1_000, retry: RETRY },
    attempt: async () => 'succeeded' as const,
    direction: 'run' as const,
    random: () => 1,
    notify: () => undefined,
  };
  const reached = (events: readonly object[]): SnapshotFrom<typeof stepMachine> =>
    events.reduce<SnapshotFrom<typeof stepMachine>>(
      (snapshot, event) => transition(stepMachine, snapshot, event as { type: 'stop' })[0],
      initialTransition(stepMachine, input)[0],
    );
  const nameOf = ({ value, context, status, output }: SnapshotFrom<typeof stepMachine>): string => {
    if (status === 'done') {
      const error = output?.error instanceof JoinError ? ` ${output.error.code}` : '';
      return `ended ${output?.status}${error}`;
    }
    if (value === 'backingOff') return 'backingOff';
    return JSON.stringify(value) === '{"active":"running"}' ? 'running' : `stopping (${context.stoppedBy})`;
  };

  test.each<[State, string, object, string]>([
    ['running', 'its attempt succeeds', DONE, 'ended succeeded'],
    ['running', 'its attempt is undecided', { ...DONE, output: 'undecided' }, 'ended undecided'],
    ['running', 'its attempt fails', THROWS, 'ended failed E_API_UNAUTHORIZED'],
    ['running', 'its attempt fails for now', THROWS_TRANSIENT, 'backingOff'],
    ['running', 'the limit passes', LIMIT, 'stopping (limit)'],
    ['running', 'it is told to stop', STOP, 'stopping (cancel)'],
    ['stopping (limit)', 'its attempt succeeds', DONE, 'ended succeeded'],
    ['stopping (limit)', 'its attempt fails', THROWS, 'ended failed E_API_UNAUTHORIZED'],
    ['stopping (limit)', 'its attempt fails for now', THROWS_TRANSIENT, 'backingOff'],
    ['stopping (limit)', 'it is told to stop', STOP, 'stopping (cancel)'],
    ['stopping (limit)', 'the grace period passes', GRACE, 'ended failed E_STEP_STUCK'],
    ['stopping (limit)', 'the limit passes', LIMIT, 'stopping (limit)'],
    ['stopping (cancel)', 'its attempt succeeds', DONE, 'ended succeeded'],
    ['stopping (cancel)', 'its attempt fails', THROWS, 'ended cancelled'],
    ['stopping (cancel)', 'its attempt fails for now', THROWS_TRANSIENT, 'ended cancelled'],
    ['stopping (cancel)', 'it is told to stop', STOP, 'stopping (cancel)'],
    ['stopping (cancel)', 'the grace period passes', GRACE, 'ended failed E_STEP_STUCK'],
    ['backingOff', 'the pause is over', PAUSE, 'running'],
    ['backingOff', 'it is told to stop', STOP, 'ended cancelled'],
    ['backingOff', 'a late limit passes', LIMIT, 'backingOff'],
    ['ended', 'it is told to stop', STOP, 'ended succeeded'],
  ])('%s, and %s', (state, _, event, expected) => {
    expect(nameOf(reached(waysTo[state]))).toMatch(state); // the way leads where it says
    expect(nameOf(reached([...waysTo[state], event]))).toBe(expected);
  });

  test('each attempt has a signal of its own', () => {
    const first = reached([]).context.abort.signal;
    const second = reached([THROWS_TRANSIENT, PAUSE]).context;
    expect([second.tries, second.abort.signal.aborted, second.abort.signal === first]).toEqual([2, false, false]);
  });
});
