import { describe, expect, test } from 'vitest';
import { type StepEnd, StepRun } from '../../../engine/run/step-actor.ts';
import { fail, JoinError } from '../../../engine/sdk/errors.ts';
import { failing, machineRun, PERMANENT, RETRY, step, TRANSIENT, working } from '../../helpers/machine-run.ts';
import { SimulatedTime } from '../../helpers/simulated-time.ts';

describe('one step', () => {
  test('a step ends as its attempt ends', async () => {
    const { time, events, state } = machineRun({ steps: [step('a')], attempt: working(30) });
    await time.passAll();
    expect(events).toEqual([
      { at: 0, type: 'step.started', id: 'a', attempt: 1 },
      { at: 30, type: 'step.ended', id: 'a', status: 'succeeded', attempts: 1 },
    ]);
    expect(state()).toBe('succeeded');
  });

  test('a step may end undecided', async () => {
    const { time, ends, state } = machineRun({ steps: [step('a'), step('b', 'a')], attempt: async () => 'undecided' });
    await time.passAll();
    expect(ends()).toEqual(['a undecided', 'b undecided']);
    expect(state()).toBe('succeeded');
  });

  test('a step is retried after a transient error, with pauses of initial·factor^n up to the cap', async () => {
    const { time, events, state } = machineRun({ steps: [step('a')], attempt: failing(TRANSIENT) });
    await time.passAll();
    const retrying = { type: 'step.retrying', id: 'a', error: TRANSIENT };
    expect(events).toEqual([
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

  test('a pause is at least as long as the server asks for, up to the time limit of an attempt', async () => {
    const busy = (retryAfterMs: number) =>
      fail('E_API_UNAVAILABLE', { server: 'https://c', what: 'get nodes', status: 429, message: '', retryAfterMs });
    const asked = [busy(7_000), busy(50), busy(3_600_000)];
    const { time, events } = machineRun({
      steps: [step('a')],
      attempt: async ({ attempt }) => {
        throw asked[attempt - 1] ?? PERMANENT;
      },
    });
    await time.passAll();
    expect(events.flatMap((event) => (event.type === 'step.retrying' ? [event.pauseMs] : []))).toEqual([
      7_000, 300, 10_000,
    ]);
  });

  test('a step is retried only after the errors that its policy names', async () => {
    const tries = async (on: string[], error: unknown) => {
      const { time, events } = machineRun({
        steps: [{ ...step('a'), retry: { ...RETRY, on } }],
        attempt: failing(error),
      });
      await time.passAll();
      return events.filter(({ type }) => type === 'step.started').length;
    };
    expect(await tries(['E_API_UNAUTHORIZED'], PERMANENT)).toBe(4);
    expect(await tries(['E_API_UNAUTHORIZED'], TRANSIENT)).toBe(1);
    expect(await tries(['transient', 'E_API_UNAUTHORIZED'], TRANSIENT)).toBe(4);
    expect(await tries(['E_API_UNAUTHORIZED'], new Error('E_API_UNAUTHORIZED'))).toBe(1);
  });

  test('a step may be retried after its time limit', async () => {
    const { time, events } = machineRun({
      steps: [{ ...step('a'), timeoutMs: 1_000, retry: { ...RETRY, attempts: 2, on: ['E_STEP_TIME_LIMIT'] } }],
      attempt: working(2_000),
    });
    expect(await time.passAll()).toBe(2_100);
    expect(events.at(-1)).toMatchObject({ status: 'failed', attempts: 2, error: { code: 'E_STEP_TIME_LIMIT' } });
  });

  test('the jitter of a retry makes its pause longer or shorter', async () => {
    const pauses = async (random: number) => {
      const retry = { ...RETRY, jitter: 0.2 };
      const { time, events } = machineRun({ steps: [{ ...step('a'), retry }], attempt: failing(TRANSIENT), random });
      await time.passAll();
      return events.flatMap((event) => (event.type === 'step.retrying' ? [event.pauseMs] : []));
    };
    expect(await pauses(0)).toEqual([80, 240, 400]);
    expect(await pauses(0.5)).toEqual([100, 300, 500]);
    expect(await pauses(1)).toEqual([120, 360, 600]);
  });

  test('a step with allowFailure does not stop the run, and the steps that need it run', async () => {
    const { time, events, ends, state } = machineRun({
      steps: [{ ...step('a'), allowFailure: true }, step('b', 'a')],
      attempt: async ({ id }) => {
        if (id === 'a') throw PERMANENT;
        return 'succeeded';
      },
    });
    await time.passAll();
    expect(ends()).toEqual(['a failed-allowed', 'b succeeded']);
    expect(events[1]).toMatchObject({ status: 'failed-allowed', error: PERMANENT });
    expect(state()).toBe('succeeded');
  });

  test('a step with allowFailure can be cancelled', async () => {
    const run = machineRun({ steps: [{ ...step('a'), allowFailure: true }], attempt: working(100) });
    run.cancel();
    await run.time.passAll();
    expect([run.ends(), run.state()]).toEqual([['a cancelled'], 'cancelled']);
  });

  test('a step that succeeds on a later attempt has no error', async () => {
    const { time, events } = machineRun({
      steps: [step('a')],
      attempt: async ({ attempt }) => {
        if (attempt < 3) throw TRANSIENT;
        return 'succeeded';
      },
    });
    await time.passAll();
    expect(events.at(-1)).toEqual({ at: 400, type: 'step.ended', id: 'a', status: 'succeeded', attempts: 3 });
  });

  test.each([
    ['a permanent error', PERMANENT],
    ['a bug', new TypeError('undefined is not a function')],
    ['a thrown text', 'oops'],
    ['an error that only looks transient', { transient: true }],
  ])('a step ends at once with %s', async (_, error) => {
    const { time, events } = machineRun({ steps: [step('a')], attempt: failing(error) });
    await time.passAll();
    expect(events.slice(1)).toEqual([{ at: 0, type: 'step.ended', id: 'a', status: 'failed', attempts: 1, error }]);
  });

  test('a step whose policy allows one attempt is not retried', async () => {
    const retry = { ...RETRY, attempts: 1 };
    const { time, events } = machineRun({ steps: [{ ...step('a'), retry }], attempt: failing(TRANSIENT) });
    await time.passAll();
    expect(events.map(({ type }) => type)).toEqual(['step.started', 'step.ended']);
  });
});

describe('the states of a step', () => {
  const LIMIT_MS = 1_000;
  const PAUSE_MS = RETRY.initialMs;
  const GRACE_MS = 5_000;

  /** A step whose attempts end when the test says so. */
  function began() {
    const time = new SimulatedTime();
    const retried: number[] = [];
    const attempts: {
      signal: AbortSignal;
      resolve: (status: 'succeeded') => void;
      reject: (error: unknown) => void;
    }[] = [];
    const step = new StepRun({
      policy: { id: 'a', timeoutMs: LIMIT_MS, retry: RETRY },
      attempt: ({ signal }) => new Promise((resolve, reject) => attempts.push({ signal, resolve, reject })),
      direction: 'run',
      random: () => 1,
      clock: time,
      notify: ({ type }) => {
        if (type === 'step.retrying') retried.push(attempts.length);
      },
    });
    let end: StepEnd | undefined;
    void step.run().then((reported) => {
      end = reported;
    });
    const state = () => {
      const code = end?.error instanceof JoinError ? ` ${end.error.code}` : '';
      if (end !== undefined) return `ended ${end.status}${code}`;
      if (retried.includes(attempts.length)) return 'pausing';
      const { aborted, reason } = attempts.at(-1)?.signal ?? {};
      return aborted === true ? `stopping ${reason.code}` : 'running';
    };
    return { time, step, attempts, state };
  }
  type Began = ReturnType<typeof began>;
  const EVENTS = {
    'its attempt succeeds': ({ attempts }: Began) => attempts.at(-1)?.resolve('succeeded'),
    'its attempt fails': ({ attempts }: Began) => attempts.at(-1)?.reject(PERMANENT),
    'its attempt fails with a transient error': ({ attempts }: Began) => attempts.at(-1)?.reject(TRANSIENT),
    'its time limit passes': ({ time }: Began) => time.pass(LIMIT_MS),
    'the grace period passes': ({ time }: Began) => time.pass(GRACE_MS),
    'the pause is over': ({ time }: Began) => time.pass(PAUSE_MS),
    'it is stopped': ({ step }: Began) => step.receive({ type: 'stop' }),
    'no attempt may follow': ({ step }: Began) => step.receive({ type: 'finish' }),
  };
  type Event = keyof typeof EVENTS;

  test.each<[string, Event[], string]>([
    ['running', ['its attempt succeeds'], 'ended succeeded'],
    ['running', ['its attempt fails'], 'ended failed E_API_UNAUTHORIZED'],
    ['running', ['its attempt fails with a transient error'], 'pausing'],
    ['running', ['its time limit passes'], 'stopping E_STEP_TIME_LIMIT'],
    ['running', ['it is stopped'], 'stopping E_CANCELLED'],
    ['running', ['no attempt may follow'], 'running'],
    [
      'running',
      ['no attempt may follow', 'its attempt fails with a transient error'],
      'ended failed E_API_UNREACHABLE',
    ],
    ['stopping for its limit', ['its attempt succeeds'], 'ended succeeded'],
    ['stopping for its limit', ['its attempt fails'], 'ended failed E_API_UNAUTHORIZED'],
    ['stopping for its limit', ['its attempt fails with a transient error'], 'pausing'],
    ['stopping for its limit', ['it is stopped'], 'stopping E_STEP_TIME_LIMIT'],
    ['stopping for its limit', ['it is stopped', 'its attempt fails'], 'ended cancelled'],
    [
      'stopping for its limit',
      ['no attempt may follow', 'its attempt fails with a transient error'],
      'ended failed E_API_UNREACHABLE',
    ],
    ['stopping for its limit', ['the grace period passes'], 'ended failed E_STEP_STUCK'],
    ['stopping for its limit', ['its time limit passes'], 'stopping E_STEP_TIME_LIMIT'],
    ['cancelled', ['its attempt succeeds'], 'ended succeeded'],
    ['cancelled', ['its attempt fails'], 'ended cancelled'],
    ['cancelled', ['its attempt fails with a transient error'], 'ended cancelled'],
    ['cancelled', ['it is stopped'], 'stopping E_CANCELLED'],
    ['cancelled', ['the grace period passes'], 'ended failed E_STEP_STUCK'],
    ['pausing', ['the pause is over'], 'running'],
    ['pausing', ['it is stopped'], 'ended cancelled'],
    ['pausing', ['no attempt may follow'], 'ended failed E_API_UNREACHABLE'],
    ['ended', ['it is stopped'], 'ended succeeded'],
  ])('a step that is %s, and then %j', async (state, events, expected) => {
    const eventsTo: Record<string, Event[]> = {
      'stopping for its limit': ['its time limit passes'],
      cancelled: ['it is stopped'],
      pausing: ['its attempt fails with a transient error'],
      ended: ['its attempt succeeds'],
    };
    const begun = began();
    await begun.time.pass(0);
    for (const event of [...(eventsTo[state] ?? []), ...events]) {
      await EVENTS[event](begun);
      await begun.time.pass(0);
    }
    expect(begun.state()).toBe(expected);
  });

  test('each attempt has its own signal, which its time limit alone aborts', async () => {
    const { time, attempts } = began();
    await time.pass(LIMIT_MS - 1);
    attempts[0]?.reject(TRANSIENT);
    await time.pass(PAUSE_MS + 1);
    expect(attempts.map(({ signal }) => signal.aborted)).toEqual([false, false]);
    await time.pass(LIMIT_MS);
    expect(attempts.map(({ signal }) => signal.aborted)).toEqual([false, true]);
  });

  test('a step that is stopped before its first attempt has begun does nothing', async () => {
    const { time, step, attempts, state } = began();
    step.receive({ type: 'stop' });
    await time.pass(0);
    expect([attempts, state()]).toEqual([[], 'ended cancelled']);
  });

  test('a bug in the engine ends the run with its error', async () => {
    const bug = new TypeError('undefined is not a function');
    const { actor, time } = machineRun({
      steps: [step('a')],
      attempt: working(10),
      random: 0.5,
      onNotify: ({ type }) => {
        if (type === 'step.started') throw bug;
      },
    });
    const seen = new Promise((resolve) => actor.subscribe({ error: resolve }));
    await time.pass(0);
    expect(await seen).toBe(bug);
  });
});
