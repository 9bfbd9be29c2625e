import { describe, expect, test } from 'vitest';
import { initialTransition, type SnapshotFrom, transition } from 'xstate';
import { stepMachine } from '../../../engine/run/step-machine.ts';
import { fail, JoinError } from '../../../engine/sdk/errors.ts';
import { failing, machineRun, PERMANENT, RETRY, step, TRANSIENT, working } from '../../helpers/machine-run.ts';

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

describe('the states of the step machine', () => {
  type State = 'running' | 'stopping (limit)' | 'stopping (cancel)' | 'backingOff' | 'ended';
  const DONE = { type: 'xstate.done.actor.0.step.active', output: 'succeeded' };
  const THROWS = { type: 'xstate.error.actor.0.step.active', error: PERMANENT };
  const THROWS_TRANSIENT = { type: 'xstate.error.actor.0.step.active', error: TRANSIENT };
  const STOP = { type: 'stop' };
  const LIMIT = { type: 'xstate.after.limit.step.active.running' };
  const GRACE = { type: 'xstate.after.grace.step.active.stopping' };
  const PAUSE = { type: 'xstate.after.pause.step.backingOff' };
  const eventsTo: Record<State, object[]> = {
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
    ['running', 'its attempt fails with a transient error', THROWS_TRANSIENT, 'backingOff'],
    ['running', 'the limit passes', LIMIT, 'stopping (limit)'],
    ['running', 'it is stopped', STOP, 'stopping (cancel)'],
    ['stopping (limit)', 'its attempt succeeds', DONE, 'ended succeeded'],
    ['stopping (limit)', 'its attempt fails', THROWS, 'ended failed E_API_UNAUTHORIZED'],
    ['stopping (limit)', 'its attempt fails with a transient error', THROWS_TRANSIENT, 'backingOff'],
    ['stopping (limit)', 'it is stopped', STOP, 'stopping (cancel)'],
    ['stopping (limit)', 'the grace period passes', GRACE, 'ended failed E_STEP_STUCK'],
    ['stopping (limit)', 'the limit passes', LIMIT, 'stopping (limit)'],
    ['stopping (cancel)', 'its attempt succeeds', DONE, 'ended succeeded'],
    ['stopping (cancel)', 'its attempt fails', THROWS, 'ended cancelled'],
    ['stopping (cancel)', 'its attempt fails with a transient error', THROWS_TRANSIENT, 'ended cancelled'],
    ['stopping (cancel)', 'it is stopped', STOP, 'stopping (cancel)'],
    ['stopping (cancel)', 'the grace period passes', GRACE, 'ended failed E_STEP_STUCK'],
    ['backingOff', 'the pause is over', PAUSE, 'running'],
    ['backingOff', 'it is stopped', STOP, 'ended cancelled'],
    ['backingOff', 'a limit passes late', LIMIT, 'backingOff'],
    ['ended', 'it is stopped', STOP, 'ended succeeded'],
  ])('%s, and %s', (state, _, event, expected) => {
    expect(nameOf(reached(eventsTo[state]))).toMatch(state); // the events lead to the state that the table names
    expect(nameOf(reached([...eventsTo[state], event]))).toBe(expected);
  });

  test('each attempt has its own signal', () => {
    const first = reached([]).context.abort.signal;
    const second = reached([THROWS_TRANSIENT, PAUSE]).context;
    expect([second.tries, second.abort.signal.aborted, second.abort.signal === first]).toEqual([2, false, false]);
  });
});
