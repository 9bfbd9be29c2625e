/**
 * The machines that execute a run. The run machine spawns one step machine for each active step, at most `maxParallel`
 * at once; a step machine makes attempts, with a time limit on each and a pause between them. They know no Kubernetes
 * word and read no clock but the actor system's, so a simulated clock runs them without waiting. What is taken back goes
 * the other way: first each step takes back what left the machine, the last one first, then the machine itself is restored.
 */
import { type AnyActorRef, assign, cancel as cancelTimer, enqueueActions, fromPromise, sendTo, setup } from 'xstate';
import type { Frontier, StepStatus } from './frontier.ts';
import { fail, isJoinError } from './sdk/errors.ts';

/** How long an attempt that was told to stop may take before it is given up. */
const GRACE_MS = 5_000;

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
}

/** One try of a step, or of undoing it. `signal` is aborted when its time is up; a settled promise is an ended attempt. */
export interface AttemptInput {
  id: string;
  direction: Direction;
  attempt: number;
  signal: AbortSignal;
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

export interface RunContext {
  frontier: Frontier;
  policies: ReadonlyMap<string, StepPolicy>;
  attempt: Attempt;
  /** Whether a step that is ready runs at all. Throws where that cannot be told. */
  decide: (id: string) => 'run' | 'skipped' | 'undecided';
  maxParallel: number;
  /** `undo` begins with taking back. */
  direction: Direction;
  /** Whether a run that fails is taken back, and one that is cancelled. */
  onFailure: 'undo' | 'keep';
  onCancel: 'undo' | 'keep';
  /** From 0 to 1. */
  random: () => number;
  /** Takes back the changes of the machine. Rejects where some of them could not be. */
  restore: (signal: AbortSignal) => Promise<void>;
  notify: (event: MachineEvent) => void;
}

interface StepContext extends Pick<RunContext, 'attempt' | 'notify' | 'random'> {
  policy: StepPolicy;
  direction: Direction;
  tries: number;
  abort: AbortController;
  /** Why the current attempt was told to stop. */
  stoppedBy: 'limit' | 'cancel' | undefined;
  /** There is no time for another attempt. */
  isLate: boolean;
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
    events: {} as { type: 'stop' } | { type: 'late' },
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
    limit: ({ context }) => context.policy.timeoutMs,
    pause: ({ context }) => context.pauseMs,
    grace: GRACE_MS,
  },
  guards: {
    cancelled: ({ context }) => context.stoppedBy === 'cancel',
    late: ({ context }) => context.isLate,
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
    stopForTotal: assign(({ context }) => {
      context.abort.abort(tooLate(context));
      return { stoppedBy: 'limit' as const, isLate: true };
    }),
    giveUp: assign(({ context }) => ({ error: tooLate(context) })),
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
        input: ({ context }) => ({
          step: {
            id: context.policy.id,
            direction: context.direction,
            attempt: context.tries,
            signal: context.abort.signal,
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
          },
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
        late: { target: 'ended', actions: 'giveUp' },
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

function stepInput({ policies, attempt, notify, random }: RunContext, id: string, direction: Direction) {
  const policy = policies.get(id);
  if (policy === undefined) throw new Error(`no policy for step ${id}`);
  return { policy, direction, attempt, notify, random };
}

/** A step that is skipped, or that nobody can decide about, ends as it begins. */
function endWithoutAttempt({ decide }: RunContext, id: string): StepEnd | undefined {
  try {
    const status = decide(id);
    return status === 'run' ? undefined : { id, status, attempts: 0 };
  } catch (error) {
    return { id, status: 'failed', attempts: 0, error };
  }
}

interface Progress {
  failed: boolean;
  cancelled: boolean;
  /** Something could not be taken back, so the machine is not restored. */
  undoFailed: boolean;
  /** The taking back was cancelled. */
  undoStopped: boolean;
  abort: AbortController;
}

/** Ends in `succeeded`, `failed` (a step failed) or `cancelled`; by then every step has ended, or is undone. */
export const runMachine = setup({
  types: {
    context: {} as RunContext & Progress,
    input: {} as RunContext,
    events: {} as { type: 'cancel' } | { type: 'xstate.done.actor.*'; output: StepEnd },
    children: {} as { [id: string]: 'step' },
  },
  actors: {
    step: stepMachine,
    restore: fromPromise<void, Pick<RunContext & Progress, 'restore' | 'abort'>>(({ input }) =>
      input.restore(input.abort.signal),
    ),
  },
  guards: {
    backwards: ({ context }) => context.direction === 'undo',
    undone: ({ context }) => context.direction === 'undo' && !context.undoFailed,
    failed: ({ context }) => context.failed || (context.direction === 'undo' && !context.cancelled),
    idle: ({ context }) => context.frontier.active.size === 0,
    idleAndUndo: ({ context: { frontier, cancelled, failed, onCancel, onFailure } }) =>
      frontier.active.size === 0 && (cancelled && !failed ? onCancel : onFailure) === 'undo',
    idleAndUndoFailed: ({ context }) => context.frontier.active.size === 0 && context.undoFailed,
    done: ({ context }) => context.frontier.allSettled,
    allWell: ({ context }) => context.frontier.allWell,
  },
  actions: {
    spawnReady: enqueueActions(({ context, enqueue }) => {
      while (!context.failed && context.frontier.active.size < context.maxParallel) {
        const id = context.frontier.take();
        if (id === undefined) break;
        const end = endWithoutAttempt(context, id);
        if (end === undefined) {
          enqueue.spawnChild('step', { id, input: stepInput(context, id, 'run') });
          continue;
        }
        context.frontier.settle(id, end.status);
        context.notify({ type: 'step.ended', ...end });
        if (end.status !== 'failed') continue;
        enqueue.assign({ failed: true });
        break;
      }
    }),
    /** One after the other, the last first: undoing is no time for races. */
    spawnUndo: enqueueActions(({ context, enqueue }) => {
      if (context.undoStopped) return;
      const id = context.frontier.turnBack();
      if (id !== undefined) enqueue.spawnChild('step', { id, input: stepInput(context, id, 'undo') });
    }),
    settle: enqueueActions(({ context, event, enqueue }) => {
      if (event.type === 'cancel') return;
      const end = event.output;
      context.frontier.settle(end.id, end.status);
      context.notify({ type: 'step.ended', ...end });
      enqueue.stopChild(end.id);
      if (end.status === 'failed') enqueue.assign({ failed: true });
      if (end.status === 'undo-failed') enqueue.assign({ undoFailed: true });
    }),
    cancelled: assign({ cancelled: true }),
    keep: assign({ onCancel: 'keep' as const, onFailure: 'keep' as const }),
    leaveUndone: assign(({ context }) => {
      context.abort.abort(fail('E_CANCELLED', { signal: 'the run' }));
      return { undoFailed: true, undoStopped: true, cancelled: true };
    }),
    undoFailed: assign({ undoFailed: true }),
    stopActive: enqueueActions(({ context, enqueue, self }) => {
      const children = self.getSnapshot().children as Record<string, AnyActorRef | undefined>;
      for (const id of context.frontier.active) {
        const child = children[id];
        if (child !== undefined) enqueue(sendTo(child, { type: 'stop' }));
      }
    }),
    skipRest: ({ context }) => context.frontier.skipRest(),
  },
}).createMachine({
  id: 'run',
  context: ({ input }) => ({
    ...input,
    failed: false,
    cancelled: false,
    undoFailed: false,
    undoStopped: false,
    abort: new AbortController(),
  }),
  initial: 'beginning',
  states: {
    beginning: { always: [{ guard: 'backwards', target: 'undoing' }, { target: 'running' }] },
    running: {
      entry: 'spawnReady',
      always: [
        { guard: 'failed', target: 'stopping' },
        { guard: 'done', target: 'succeeded' },
      ],
      on: {
        'xstate.done.actor.*': { actions: ['settle', 'spawnReady'] },
        cancel: { target: 'stopping', actions: 'cancelled' },
      },
    },
    stopping: {
      entry: 'stopActive',
      always: [
        { guard: 'allWell', target: 'succeeded' },
        { guard: 'idleAndUndo', target: 'undoing' },
        { guard: 'idle', target: 'ending' },
      ],
      on: {
        'xstate.done.actor.*': { actions: 'settle' },
        cancel: { actions: 'keep' }, // asked twice: leave everything as it is
      },
    },
    undoing: {
      entry: 'spawnUndo',
      always: [
        { guard: 'idleAndUndoFailed', target: 'ending' },
        { guard: 'idle', target: 'restoring' },
      ],
      on: {
        'xstate.done.actor.*': { actions: ['settle', 'spawnUndo'] },
        cancel: { actions: ['leaveUndone', 'stopActive'] },
      },
    },
    restoring: {
      invoke: {
        src: 'restore',
        input: ({ context }) => context,
        onDone: 'ending',
        onError: { target: 'ending', actions: 'undoFailed' },
      },
      on: { cancel: { actions: 'leaveUndone' } },
    },
    ending: {
      entry: 'skipRest',
      always: [
        { guard: 'undone', target: 'succeeded' },
        { guard: 'failed', target: 'failed' },
        { target: 'cancelled' },
      ],
    },
    succeeded: { type: 'final' },
    failed: { type: 'final' },
    cancelled: { type: 'final' },
  },
});
