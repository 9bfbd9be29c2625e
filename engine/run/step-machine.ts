/**
 * The machine of one step: it makes attempts, with a time limit on each and on all of them, and a pause between them. An attempt that
 * waits for somebody to answer has their time instead of its own.
 */
import { assign, cancel as cancelTimer, enqueueActions, fromPromise, setup } from 'xstate';
import { fail, isJoinError } from '../sdk/errors.ts';
import type { StepStatus } from '../sdk/step-status.ts';

/** How long an attempt that was told to stop may take before it is given up. */
const GRACE_MS = 5_000;
/** The longest that a timer of Node can be. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export interface StepPolicy {
  id: string;
  /** Of one attempt. */
  timeoutMs: number;
  /** Of all attempts, and the pauses between them. */
  totalMs?: number;
  retry: {
    attempts: number;
    initialMs: number;
    factor: number;
    capMs: number;
    /** Each pause is longer or shorter by up to this part of it. */
    jitter?: number;
    /** After which errors: `transient` ones, or those of a code. Left out: transient ones. */
    on?: readonly string[];
  };
  /** A failure does not stop the run. */
  allowFailure?: boolean;
  /** It waits for somebody, and keeps nothing else from running meanwhile. */
  approval?: unknown;
}

/** One try of a step, or of undoing it. `signal` is aborted when its time is up; a settled promise is an ended attempt. */
export interface AttemptInput {
  id: string;
  direction: Direction;
  attempt: number;
  signal: AbortSignal;
  /** Tells that it waits for somebody, who has so long: until the attempt has ended its limit does not count. */
  waiting: (leftMs: number) => void;
}
export type Direction = 'run' | 'undo';
export type Attempt = (input: AttemptInput) => Promise<'succeeded' | 'undecided' | 'undone'>;

export interface StepEnd {
  id: string;
  status: StepStatus;
  attempts: number;
  error?: unknown;
}

export type MachineEvent =
  | { type: 'step.started'; id: string; attempt: number; direction: Direction }
  | { type: 'step.retrying'; id: string; attempt: number; pauseMs: number; error: unknown }
  | ({ type: 'step.ended' } & StepEnd);

export interface StepContext {
  attempt: Attempt;
  notify: (event: MachineEvent) => void;
  /** From 0 to 1. */
  random: () => number;
  policy: StepPolicy;
  direction: Direction;
  tries: number;
  abort: AbortController;
  /** Why the current attempt was told to stop. */
  stoppedBy: 'limit' | 'cancel' | undefined;
  /** There is no time for another attempt. */
  isLate: boolean;
  /** How long whoever is to answer still has. */
  leftMs: number;
  pauseMs: number;
  status: StepStatus;
  error?: unknown;
}

/** What the policy says, and no less than what a server has asked for; but that no longer than an attempt may take. */
function pauseMs({ policy: { retry, timeoutMs }, tries, error, random }: StepContext): number {
  const { jitter = 0 } = retry;
  const even = Math.min(retry.capMs, retry.initialMs * retry.factor ** (tries - 1));
  const planned = Math.round(even * (1 + jitter * (2 * random() - 1)));
  const asked = isJoinError(error) ? (error.retryAfterMs ?? 0) : 0;
  return Math.max(planned, Math.min(asked, timeoutMs));
}

/** Whether an error is one of those after which the policy tries again. */
const isRetried = ({ retry: { on = ['transient'] } }: StepPolicy, error: unknown): boolean =>
  isJoinError(error) && on.some((kind) => (kind === 'transient' ? error.transient : error.code === kind));

const tooLate = ({ policy: { id, totalMs = 0 }, error }: StepContext) =>
  fail('E_STEP_TIME_LIMIT', { step: id, limitMs: totalMs, isTotal: true }, error);

function endStatus({ direction, status, policy }: StepContext): StepStatus {
  if (direction === 'undo') return status === 'undone' ? 'undone' : 'undo-failed';
  return status === 'failed' && policy.allowFailure === true ? 'failed-allowed' : status;
}

export const stepMachine = setup({
  types: {
    context: {} as StepContext,
    input: {} as Pick<StepContext, 'policy' | 'direction' | 'attempt' | 'notify' | 'random'>,
    events: {} as { type: 'stop' } | { type: 'late' } | { type: 'wait'; leftMs: number },
    output: {} as StepEnd,
  },
  actors: {
    attempt: fromPromise<Awaited<ReturnType<Attempt>>, { step: AttemptInput; attempt: Attempt }>(async ({ input }) => {
      await undefined; // it is announced before it tells anything itself; and one cancelled at once does nothing
      input.step.signal.throwIfAborted();
      return input.attempt(input.step);
    }),
  },
  delays: {
    limit: ({ context }) => Math.min(context.policy.timeoutMs, TIMER_MS_MAX),
    deadline: ({ context }) => Math.min(context.leftMs, TIMER_MS_MAX),
    pause: ({ context }) => context.pauseMs,
    grace: GRACE_MS,
  },
  guards: {
    cancelled: ({ context }) => context.stoppedBy === 'cancel',
    late: ({ context }) => context.isLate,
    farOff: ({ context }) => context.leftMs > TIMER_MS_MAX,
    mayRetry: ({ context: { policy, error, tries } }) => isRetried(policy, error) && tries < policy.retry.attempts,
  },
  actions: {
    begin: assign(({ context }) => ({ tries: context.tries + 1, abort: new AbortController(), stoppedBy: undefined })),
    announce: ({ context: { policy, direction, tries, notify } }) =>
      notify({ type: 'step.started', id: policy.id, attempt: tries, direction }),
    choosePause: assign({ pauseMs: ({ context }) => pauseMs(context) }),
    announcePause: ({ context: { policy, tries, pauseMs: chosenMs, error, notify } }) =>
      notify({ type: 'step.retrying', id: policy.id, attempt: tries, pauseMs: chosenMs, error }),
    /** Taking back has no end but that of each attempt. */
    limitTotal: enqueueActions(({ context: { policy, direction }, enqueue }) => {
      if (policy.totalMs !== undefined && direction === 'run')
        enqueue.raise({ type: 'late' }, { delay: policy.totalMs, id: 'total' });
    }),
    noteLate: assign({ isLate: true }),
    noteLeft: assign(({ event }) => (event.type === 'wait' ? { leftMs: event.leftMs } : {})),
    countDown: assign(({ context }) => ({ leftMs: context.leftMs - TIMER_MS_MAX })),
    stopForDeadline: assign(({ context }) => {
      context.abort.abort(fail('E_APPROVAL_TIMEOUT', { step: context.policy.id }));
      return { stoppedBy: 'limit' as const };
    }),
    stopForTotal: assign(({ context }) => {
      context.abort.abort(tooLate(context));
      return { stoppedBy: 'limit' as const, isLate: true };
    }),
    stopForLimit: assign(({ context }) => {
      const error = fail('E_STEP_TIME_LIMIT', {
        step: context.policy.id,
        limitMs: context.policy.timeoutMs,
      });
      context.abort.abort(error);
      return { stoppedBy: 'limit' as const };
    }),
    stopForCancel: assign(({ context }) => {
      context.abort.abort(fail('E_CANCELLED', { signal: 'the run' }));
      return { stoppedBy: 'cancel' as const };
    }),
    stuck: assign(({ context }) => ({
      error: fail('E_STEP_STUCK', { step: context.policy.id, graceMs: GRACE_MS }),
    })),
  },
}).createMachine({
  id: 'step',
  context: ({ input }) => ({
    ...input,
    tries: 0,
    abort: new AbortController(),
    stoppedBy: undefined,
    isLate: false,
    leftMs: 0,
    pauseMs: 0,
    status: 'failed',
  }),
  entry: 'limitTotal',
  initial: 'active',
  states: {
    active: {
      entry: ['begin', 'announce'],
      invoke: {
        src: 'attempt',
        input: ({ context, self }) => ({
          step: {
            id: context.policy.id,
            direction: context.direction,
            attempt: context.tries,
            signal: context.abort.signal,
            waiting: (leftMs: number) => self.send({ type: 'wait', leftMs }),
          },
          attempt: context.attempt,
        }),
        // An attempt that was told to stop, and still got there, got there.
        onDone: { target: 'ended', actions: assign({ status: ({ event }) => event.output, error: undefined }) },
        onError: { target: 'decide', actions: assign({ error: ({ event }) => event.error }) },
      },
      initial: 'running',
      states: {
        running: {
          after: { limit: { target: 'stopping', actions: 'stopForLimit' } },
          on: {
            stop: { target: 'stopping', actions: 'stopForCancel' },
            late: { target: 'stopping', actions: 'stopForTotal' },
            wait: { target: 'awaitingApproval', actions: 'noteLeft' },
          },
        },
        awaitingApproval: {
          after: {
            deadline: [
              { guard: 'farOff', target: 'awaitingApproval', reenter: true, actions: 'countDown' },
              { target: 'stopping', actions: 'stopForDeadline' },
            ],
          },
          on: { stop: { target: 'stopping', actions: 'stopForCancel' } },
        },
        stopping: {
          after: { grace: { target: '#step.ended', actions: 'stuck' } },
          on: { stop: { actions: assign({ stoppedBy: 'cancel' }) }, late: { actions: 'noteLate' } },
        },
      },
    },
    decide: {
      always: [
        { guard: 'cancelled', target: 'ended', actions: assign({ status: 'cancelled', error: undefined }) },
        { guard: 'late', target: 'ended' },
        { guard: 'mayRetry', target: 'backingOff' },
        { target: 'ended' },
      ],
    },
    backingOff: {
      entry: ['choosePause', 'announcePause'],
      after: { pause: 'active' },
      on: {
        stop: { target: 'ended', actions: assign({ status: 'cancelled', error: undefined }) },
        late: 'ended', // with what the last try has failed with
      },
    },
    ended: { type: 'final', entry: cancelTimer('total') },
  },
  output: ({ context }) => ({
    id: context.policy.id,
    status: endStatus(context),
    attempts: context.tries,
    ...(context.error === undefined ? {} : { error: context.error }),
  }),
});
