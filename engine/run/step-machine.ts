/**
 * The state machine of one step. It starts attempts, with a time limit for each and for all of them, and pauses between
 * them. While an attempt waits for an approval, the deadline of the approval replaces its time limit.
 */

import { assign, cancel as cancelTimer, enqueueActions, fromPromise, setup } from 'xstate';
import type { Retry } from '../pipeline/planned-step.ts';
import { fail, isJoinError } from '../sdk/errors.ts';
import { defined } from '../sdk/fields.ts';
import type { StepStatus } from '../sdk/step-status.ts';

/** How long a stopped attempt may take to end before the step fails. */
const GRACE_MS = 5_000;
/** An undo has no total time limit that could end its attempts. */
const ATTEMPTS_MAX = { run: Number.POSITIVE_INFINITY, undo: 10 };

export interface StepPolicy {
  id: string;
  /** Time limit of one attempt. */
  timeoutMs: number;
  /** Time limit of all attempts together, with the pauses between them. */
  totalMs?: number;
  retry: Retry;
  /** A failure of the step does not stop the run. */
  allowFailure?: boolean;
  /** The step only reads, so it may end after another step has failed. */
  isCheck?: boolean;
  /** The step waits for an approval, and does not count towards the limit of parallel steps. */
  approval?: unknown;
}

/** One attempt to run or undo a step. The machine aborts `signal` when the time is up. */
export interface AttemptInput {
  id: string;
  direction: Direction;
  attempt: number;
  signal: AbortSignal;
  /** Time limit of this attempt. */
  limitMs: number;
  /** The attempt waits for an approval. For the rest of the attempt, `leftMs` replaces its time limit. */
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
  /** A number from 0 to 1. */
  random: () => number;
  policy: StepPolicy;
  direction: Direction;
  tries: number;
  abort: AbortController;
  /** Why the current attempt was stopped. */
  stoppedBy: 'limit' | 'cancel' | undefined;
  /** How many attempts have reached their time limit. */
  timeouts: number;
  /** No attempt follows: the total time is up, or another step has failed. */
  isLate: boolean;
  /** Time until the deadline of the approval. */
  leftMs: number;
  pauseMs: number;
  status: StepStatus;
  error?: unknown;
}

/** The pause of the policy, or a longer one that a server asked for, up to the time limit of an attempt. */
function pauseMs({ policy: { retry, timeoutMs }, tries, error, random }: StepContext): number {
  const { jitter = 0 } = retry;
  const base = Math.min(retry.capMs, retry.initialMs * retry.factor ** (tries - 1));
  const planned = Math.round(base * (1 + jitter * (2 * random() - 1)));
  const retryAfterMs = isJoinError(error) ? (error.retryAfterMs ?? 0) : 0;
  return Math.max(planned, Math.min(retryAfterMs, timeoutMs));
}

/** Whether there may be time for another attempt after one has timed out. */
const outlastsAttempt = ({ timeoutMs, totalMs = 0 }: StepPolicy): boolean => totalMs > timeoutMs;

function isRetried(policy: StepPolicy, error: unknown): boolean {
  if (!isJoinError(error)) return false;
  const isPassing = error.transient || (error.code === 'E_STEP_TIME_LIMIT' && outlastsAttempt(policy));
  const { on = ['transient'] } = policy.retry;
  return on.some((kind) => (kind === 'transient' ? isPassing : error.code === kind));
}

/**
 * If there is a total limit, the limit of an attempt doubles after each timeout. So an attempt eventually has enough
 * time for all its requests, even if the answers are slow.
 */
const limitMs = ({ policy, timeouts }: StepContext): number =>
  outlastsAttempt(policy) ? policy.timeoutMs * 2 ** timeouts : policy.timeoutMs;

const tooLate = ({ policy: { id, timeoutMs, totalMs = 0 }, error }: StepContext) =>
  fail('E_STEP_TIME_LIMIT', { step: id, limitMs: totalMs, isTotal: totalMs !== timeoutMs }, error);

function endStatus({ direction, status, policy }: StepContext): StepStatus {
  if (direction === 'undo') return status === 'undone' ? 'undone' : 'undo-failed';
  return status === 'failed' && policy.allowFailure === true ? 'failed-allowed' : status;
}

export const stepMachine = setup({
  types: {
    context: {} as StepContext,
    input: {} as Pick<StepContext, 'policy' | 'direction' | 'attempt' | 'notify' | 'random'>,
    /** After `finish`, no attempt follows the current one. */
    events: {} as { type: 'stop' } | { type: 'finish' } | { type: 'late' } | { type: 'wait'; leftMs: number },
    output: {} as StepEnd,
  },
  actors: {
    attempt: fromPromise<Awaited<ReturnType<Attempt>>, { step: AttemptInput; attempt: Attempt }>(async ({ input }) => {
      await undefined; // the start is reported before anything the attempt reports; a cancelled attempt never starts
      input.step.signal.throwIfAborted();
      return input.attempt(input.step);
    }),
  },
  delays: {
    limit: ({ context }) => limitMs(context),
    deadline: ({ context }) => context.leftMs,
    pause: ({ context }) => context.pauseMs,
    grace: GRACE_MS,
  },
  guards: {
    cancelled: ({ context }) => context.stoppedBy === 'cancel',
    late: ({ context }) => context.isLate,
    mayRetry: ({ context: { policy, error, tries, direction } }) =>
      isRetried(policy, error) && tries < Math.min(policy.retry.attempts, ATTEMPTS_MAX[direction]),
  },
  actions: {
    begin: assign(({ context }) => ({ tries: context.tries + 1, abort: new AbortController(), stoppedBy: undefined })),
    announce: ({ context: { policy, direction, tries, notify } }) =>
      notify({ type: 'step.started', id: policy.id, attempt: tries, direction }),
    choosePause: assign({ pauseMs: ({ context }) => pauseMs(context) }),
    announcePause: ({ context: { policy, tries, pauseMs: chosenMs, error, notify } }) =>
      notify({ type: 'step.retrying', id: policy.id, attempt: tries, pauseMs: chosenMs, error }),
    /** An undo has no total time limit. */
    limitTotal: enqueueActions(({ context: { policy, direction }, enqueue }) => {
      if (policy.totalMs !== undefined && direction === 'run')
        enqueue.raise({ type: 'late' }, { delay: policy.totalMs, id: 'total' });
    }),
    noteLate: assign({ isLate: true }),
    noteLeft: assign(({ event }) => (event.type === 'wait' ? { leftMs: event.leftMs } : {})),
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
        limitMs: limitMs(context),
      });
      context.abort.abort(error);
      return { stoppedBy: 'limit' as const, timeouts: context.timeouts + 1 };
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
    timeouts: 0,
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
            limitMs: limitMs(context),
            waiting: (leftMs: number) => self.send({ type: 'wait', leftMs }),
          },
          attempt: context.attempt,
        }),
        // A stopped attempt may still succeed.
        onDone: { target: 'ended', actions: assign({ status: ({ event }) => event.output, error: undefined }) },
        onError: { target: 'decide', actions: assign({ error: ({ event }) => event.error }) },
      },
      initial: 'running',
      states: {
        running: {
          after: { limit: { target: 'stopping', actions: 'stopForLimit' } },
          on: {
            stop: { target: 'stopping', actions: 'stopForCancel' },
            finish: { actions: 'noteLate' },
            late: { target: 'stopping', actions: 'stopForTotal' },
            wait: { target: 'awaitingApproval', actions: 'noteLeft' },
          },
        },
        awaitingApproval: {
          after: { deadline: { target: 'stopping', actions: 'stopForDeadline' } },
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
        finish: 'ended', // with the error of the last attempt
        late: 'ended',
      },
    },
    ended: { type: 'final', entry: cancelTimer('total') },
  },
  output: ({ context }) => ({
    id: context.policy.id,
    status: endStatus(context),
    attempts: context.tries,
    ...defined({ error: context.error }),
  }),
});
