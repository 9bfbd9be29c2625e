/**
 * The state machine of a run. It spawns one actor for each active step, at most `maxParallel` at once. All of them use
 * one clock, so that tests can run them in simulated time.
 *
 * An undo goes backwards. First each step undoes what it changed outside the machine, the last step first. Then the
 * changes to the machine itself are undone.
 */
import { type AnyActorRef, assign, enqueueActions, fromPromise, sendTo, setup } from 'xstate';
import { fail } from '../sdk/errors.ts';
import type { Frontier } from './frontier.ts';
import {
  type Attempt,
  type Clock,
  type Direction,
  type MachineEvent,
  type StepEnd,
  type StepPolicy,
  type StepReport,
  stepActor,
} from './step-actor.ts';

export interface RunContext {
  frontier: Frontier;
  policies: ReadonlyMap<string, StepPolicy>;
  attempt: Attempt;
  /** Whether a step that is ready runs. Throws if its condition has no value. */
  decide: (id: string) => 'run' | 'skipped' | 'undecided';
  maxParallel: number;
  direction: Direction;
  onFailure: 'undo' | 'keep';
  onCancel: 'undo' | 'keep';
  /** A number from 0 to 1. */
  random: () => number;
  /** That of the actor system. */
  clock: Clock;
  /** Undoes the changes to the machine. Rejects if some of them remain. */
  restore: (signal: AbortSignal) => Promise<void>;
  notify: (event: MachineEvent) => void;
}

function stepInput({ policies, attempt, notify, random, clock }: RunContext, id: string, direction: Direction) {
  const policy = policies.get(id);
  if (policy === undefined) throw new Error(`no policy for step ${id}`);
  return { policy, direction, attempt, notify, random, clock };
}

/** A step that is skipped or undecided ends without an attempt. */
function endWithoutAttempt({ decide }: RunContext, id: string): StepEnd | undefined {
  try {
    const status = decide(id);
    return status === 'run' ? undefined : { id, status, attempts: 0 };
  } catch (error) {
    return { id, status: 'failed', attempts: 0, error };
  }
}

/** Takes the steps that are ready to run. Those that end without an attempt end here, until one fails. */
function takeReady(context: RunContext & Progress): { ids: string[]; failed: boolean } {
  const ids: string[] = [];
  while (!context.failed && runningSteps(context) < context.maxParallel) {
    const id = context.frontier.take();
    if (id === undefined) break;
    const end = endWithoutAttempt(context, id);
    if (end === undefined) ids.push(id);
    else if (settle(context, end) === 'failed') return { ids, failed: true };
  }
  return { ids, failed: context.failed };
}

/** Records the end of a step, and returns what has failed with it. */
function settle({ frontier, notify }: RunContext, end: StepEnd): 'failed' | 'undoFailed' | undefined {
  frontier.settle(end.id, end.status);
  notify({ type: 'step.ended', ...end });
  if (end.status === 'failed') return 'failed';
  return end.status === 'undo-failed' ? 'undoFailed' : undefined;
}

/** How long checks that are running may take when another step has failed. */
const CHECKS_END_WITHIN_MS = 5_000;

/** Steps that count towards `maxParallel`. A step that waits for an approval does not. */
const runningSteps = ({ frontier, policies }: RunContext): number =>
  [...frontier.active].filter((id) => policies.get(id)?.approval === undefined).length;

interface Progress {
  failed: boolean;
  cancelled: boolean;
  /** A step could not be undone, so the changes to the machine stay. */
  undoFailed: boolean;
  /** The undo was cancelled. */
  undoStopped: boolean;
  abort: AbortController;
}

/** The actors of the active steps that `fits` accepts (default: all). */
function activeSteps({ frontier }: RunContext, self: AnyActorRef, fits: (id: string) => boolean = () => true) {
  const children = self.getSnapshot().children as Record<string, AnyActorRef | undefined>;
  return [...frontier.active].flatMap((id) => (fits(id) ? (children[id] ?? []) : []));
}

/** Ends in `succeeded`, `failed` or `cancelled`. By then every step has ended or is undone. */
export const runMachine = setup({
  types: {
    context: {} as RunContext & Progress,
    input: {} as RunContext,
    events: {} as { type: 'cancel' } | StepReport,
    children: {} as { [id: string]: 'step' },
  },
  actors: {
    step: stepActor,
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
      const { ids, failed } = takeReady(context);
      for (const id of ids) enqueue.spawnChild('step', { id, input: stepInput(context, id, 'run') });
      if (failed) enqueue.assign({ failed });
    }),
    /** Steps are undone one at a time, the last one first. */
    spawnUndo: enqueueActions(({ context, enqueue }) => {
      if (context.undoStopped) return;
      const id = context.frontier.nextToUndo();
      if (id !== undefined) enqueue.spawnChild('step', { id, input: stepInput(context, id, 'undo') });
    }),
    settle: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'step.done') return;
      enqueue.stopChild(event.end.id);
      const failed = settle(context, event.end);
      if (failed !== undefined) enqueue.assign({ [failed]: true });
    }),
    /** `settle` and `spawnReady` as one action: two would take twice the time, at the end of each step. */
    settleAndSpawn: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'step.done') return;
      enqueue.stopChild(event.end.id);
      const isFailed = settle(context, event.end) === 'failed';
      const { ids, failed } = isFailed ? { ids: [], failed: true } : takeReady(context);
      for (const id of ids) enqueue.spawnChild('step', { id, input: stepInput(context, id, 'run') });
      if (failed) enqueue.assign({ failed });
    }),
    crash: ({ event }) => {
      if (event.type === 'step.broken') throw event.error;
    },
    cancelled: assign({ cancelled: true }),
    keep: assign({ onCancel: 'keep' as const, onFailure: 'keep' as const }),
    leaveUndone: assign(({ context }) => {
      context.abort.abort(fail('E_CANCELLED', { signal: 'the run' }));
      return { undoFailed: true, undoStopped: true, cancelled: true };
    }),
    undoFailed: assign({ undoFailed: true }),
    stopActive: enqueueActions(({ context, enqueue, self }) => {
      for (const child of activeSteps(context, self)) enqueue(sendTo(child, { type: 'stop' }));
    }),
    stopChanges: enqueueActions(({ context, enqueue, self }) => {
      const isChange = (id: string) => context.policies.get(id)?.isCheck !== true;
      for (const child of activeSteps(context, self, isChange)) enqueue(sendTo(child, { type: 'stop' }));
      for (const child of activeSteps(context, self)) enqueue(sendTo(child, { type: 'finish' }));
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
  on: { 'step.broken': { actions: 'crash' } },
  states: {
    beginning: { always: [{ guard: 'backwards', target: 'undoing' }, { target: 'running' }] },
    running: {
      entry: 'spawnReady',
      always: [
        { guard: 'failed', target: 'checking' },
        { guard: 'done', target: 'succeeded' },
      ],
      on: {
        'step.done': { actions: 'settleAndSpawn' },
        cancel: { target: 'stopping', actions: 'cancelled' },
      },
    },
    /** A step has failed. The attempts of checks end first, so that one run reports all that is missing. */
    checking: {
      entry: 'stopChanges',
      always: { guard: 'idle', target: 'stopping' },
      after: { [CHECKS_END_WITHIN_MS]: 'stopping' }, // one that hangs does not hold up the report
      on: {
        'step.done': { actions: 'settle' },
        cancel: { target: 'stopping' },
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
        'step.done': { actions: 'settle' },
        cancel: { actions: 'keep' }, // a second cancellation leaves everything as it is
      },
    },
    undoing: {
      entry: 'spawnUndo',
      always: [
        { guard: 'idleAndUndoFailed', target: 'ending' },
        { guard: 'idle', target: 'restoring' },
      ],
      on: {
        'step.done': { actions: ['settle', 'spawnUndo'] },
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
