/** Runs a plan on a host, or undoes its run. The machines decide what happens when; the executor does it. */
import { createActor, type InputFrom } from 'xstate';
import type { Host } from '../host/host.ts';
import { type ChangeCounts, changeCounts } from '../journal/history.ts';
import type { Journal } from '../journal/journal.ts';
import { removeTemporaryFiles } from '../journal/undo.ts';
import { startTimer, type Timer } from '../limits/timers.ts';
import type { Plan } from '../pipeline/plan.ts';
import type { PlannedStep } from '../pipeline/planned-step.ts';
import { isCheck } from '../sdk/effects.ts';
import { fail } from '../sdk/errors.ts';
import { defined } from '../sdk/fields.ts';
import type { StepStatus } from '../sdk/step-status.ts';
import type { Ask } from './approval.ts';
import { EventStream, type RunEvent, type StepResult } from './events.ts';
import { Frontier } from './frontier.ts';
import { Listeners } from './listeners.ts';
import { journalInMemory } from './plan-record.ts';
import { Redactor } from './redact.ts';
import { runMachine } from './run-machine.ts';
import { RunRecorder } from './run-recorder.ts';
import { type RunResources, RunState } from './run-state.ts';
import type { Clock, Direction, StepPolicy } from './step-actor.ts';
import { StepExecutor, type UndoWays } from './step-executor.ts';

const MAX_PARALLEL = 8;

export type { RunEvent, StepResult } from './events.ts';
export type { Clock } from './step-actor.ts';

export interface RunResult {
  /** ID of the run's journal; absent if the run changed nothing, because then no journal is written. */
  id?: string;
  pipeline: string;
  status: 'succeeded' | 'failed' | 'cancelled';
  durationMs: number;
  /** All changes of the run, also those of earlier processes. */
  changes: ChangeCounts;
  /** The run is undone, so it cannot be resumed. */
  isUndone: boolean;
  /** The steps of `finally` come last. */
  steps: StepResult[];
  /** The outputs of the pipeline; absent if the run did not succeed. */
  outputs?: unknown;
  /** Why the run did not succeed. */
  error?: unknown;
  /** Why the run, which did not succeed, could not be undone either. */
  undoError?: unknown;
}

export interface RunOptions {
  plan: Plan;
  host: Host;
  /** A journal with records resumes its run. Default: a journal in memory. */
  journal?: Journal;
  onEvent?: (event: RunEvent) => void;
  /** The number of the last event of this run so far (default 0). */
  lastSeq?: number;
  /** Abort it with a reason to cancel the run. The run still ends in order. */
  signal?: AbortSignal;
  /** Abort it to stop undoing after a cancellation. */
  keepSignal?: AbortSignal;
  /** The clock of the machines (default: real time). Tests pass xstate's SimulatedClock. */
  clock?: Clock;
  /** Asks for approvals at the terminal. Without it, answers only arrive in other ways. */
  ask?: Ask;
  /** From 0 to 1, for pauses (default: Math.random). */
  random?: () => number;
  maxParallel?: number;
  /** With `keep`, the default, the run can be resumed. */
  onFailure?: 'undo' | 'keep';
  /** Default: as `onFailure`. */
  onCancel?: 'undo' | 'keep';
}

/** Unlike xstate's own, for delays of any length. */
const REAL_CLOCK: Clock = {
  setTimeout: (act, timeoutMs) => startTimer(timeoutMs, act),
  clearTimeout: (timer) => (timer as Timer | undefined)?.cancel(),
};

/** Executes every step of the plan that is not done yet. A failed step does not reject: the result reports it. */
export const run = (options: RunOptions): Promise<RunResult> => execute(options, 'run');

export interface UndoOptions extends Omit<RunOptions, 'onFailure' | 'onCancel' | 'maxParallel'>, Partial<UndoWays> {
  journal: Journal;
}

/** Undoes the changes in the journal. `undoPlan` makes the plan from the journal. */
export const undo = (options: UndoOptions): Promise<RunResult> => execute(options, 'undo');

type AnyOptions = RunOptions & Partial<UndoWays>;
type Ending = Pick<RunResult, 'status' | 'error' | 'outputs'>;
type MachineInput = InputFrom<typeof runMachine>;

async function execute(given: AnyOptions, direction: Direction): Promise<RunResult> {
  const options = { ...given, onEvent: withoutThrowing(given.onEvent) };
  const { plan, host } = options;
  const startedAt = host.now().getTime();
  const parts = partsOf(options);
  const { journal, state, recorder, listeners, stream } = parts;
  if (options.journal?.isWritten === true) await removeTemporaryFiles(journal, host);
  recorder.emit({
    type: 'run.started',
    direction,
    dryRun: host.isDry === true,
    resumed: options.journal?.isWritten === true && direction === 'run',
    steps: state.results().map(({ id }) => id),
  });
  const machine = machineInput(parts, options, direction);
  const stopping: Stopping = (reason, next) => recorder.stopping(reason, next);
  const stops = [options.signal, options.keepSignal];
  const status = await drive(machine, { stops, stopping });
  const main = endingOf(status, direction, state, options.signal);
  const { error, outputs, ...ended } =
    direction === 'run' ? await withFinally(main, machine, state, { ...options, stopping }) : main;
  const durationMs = host.now().getTime() - startedAt;
  const end = () => recorder.endOf({ ...ended, durationMs, ...defined({ outputs, error }) });
  await listeners.finish(stream.next(end()));
  await recorder.finish(direction, ended.status, error);
  recorder.emit(end());
  await journal.close().catch(() => undefined); // every record that counts is synced by now
  return {
    ...defined({ id: options.journal?.isWritten ? journal.id : undefined }),
    pipeline: plan.pipeline,
    status: ended.status,
    durationMs,
    changes: changeCounts(journal.history()),
    isUndone: journal.history().status === 'undone',
    steps: state.results(),
    ...defined({ outputs, error, undoError: direction === 'run' ? state.undoError : undefined }),
  };
}

/** A view that fails, such as the progress at a terminal, does not affect the run. */
const withoutThrowing =
  (onEvent: RunOptions['onEvent']) =>
  (event: RunEvent): void => {
    try {
      onEvent?.(event);
    } catch {}
  };

interface RunParts {
  journal: Journal;
  state: RunState;
  recorder: RunRecorder;
  executor: StepExecutor;
  listeners: Listeners;
  stream: EventStream;
}

function partsOf({ plan, host, onEvent = () => undefined, lastSeq = 0, ask, ...options }: AnyOptions): RunParts {
  const journal = options.journal ?? journalInMemory(plan, host);
  const redactor = new Redactor();
  const stream = new EventStream({
    run: journal.id,
    machine: plan.host.name,
    pipeline: plan.pipeline,
    now: host.now,
    lastSeq,
    redact: (body) => redactor.redact(body),
    onEvent,
  });
  const resources: RunResources = { plan, host, journal, redactor, stream };
  const state = new RunState(resources);
  const recorder = new RunRecorder(resources, state);
  const executor = new StepExecutor({ resources, state, recorder, ask });
  const listeners = new Listeners({
    deliver: (id, event, signal) => executor.deliver(id, event, signal),
    warn: (id, text) => recorder.warn(id, text),
  });
  return { journal, state, recorder, executor, listeners, stream };
}

/** A run starts with the steps that the journal records as done. An undo starts with every step ended. */
function machineInput(parts: RunParts, options: AnyOptions, direction: Direction): MachineInput {
  const { plan, maxParallel = MAX_PARALLEL, random = Math.random, overwrite = false, skip = [] } = options;
  const { clock = REAL_CLOCK, onFailure = 'keep', onCancel = onFailure } = options;
  const { state, recorder, executor, listeners } = parts;
  const phaseOf = (id: string) => state.step(id).phase;
  const done = state.resumeFrom();
  for (const [id, status] of done) {
    if (status === 'succeeded') listeners.add(id, phaseOf(id));
    if (direction === 'run' && status !== 'skipped') recorder.emit({ type: 'step.kept', step: id, status });
  }
  const ended = new Map(plan.steps.map(({ id }) => [id, 'cancelled' as StepStatus]));
  return {
    frontier: new Frontier(plan.steps, direction === 'run' ? done : ended),
    policies: policiesOf(plan.steps),
    direction,
    attempt: (input) => executor.attempt(input),
    decide: (id) => executor.decide(id),
    restore: (stop) => executor.undoChanges({ overwrite, skip }, stop),
    notify: (happened) => {
      const event = recorder.record(happened);
      // A phase that listens also receives the end of its own step.
      if (happened.type === 'step.ended' && happened.status === 'succeeded')
        listeners.add(happened.id, phaseOf(happened.id));
      listeners.notify(event);
    },
    random,
    clock,
    maxParallel,
    onFailure,
    onCancel,
  };
}

const policiesOf = (steps: readonly PlannedStep[]): Map<string, StepPolicy> =>
  new Map(
    steps.map((step) => [step.id, { ...step, isCheck: step.approval === undefined && isCheck(step.phase.effects) }]),
  );

/** Called when a run is cancelled, with what follows for its changes. */
type Stopping = (reason: unknown, next: 'undo' | 'keep') => void;

interface DriveOptions {
  /** Each cancels the machines once. */
  stops: readonly (AbortSignal | undefined)[];
  stopping: Stopping;
}

/** Runs the machines to their end. */
async function drive(input: MachineInput, { stops, stopping }: DriveOptions): Promise<RunResult['status']> {
  const actor = createActor(runMachine, { clock: input.clock as never, input });
  const cancel = () => {
    const { reason } = stops.findLast((stop) => stop?.aborted === true) ?? {};
    // A run that has stopped already, or undoes its changes, leaves the rest as it is.
    stopping(reason, actor.getSnapshot().value === 'running' ? input.onCancel : 'keep');
    actor.send({ type: 'cancel' });
  };
  const status = await new Promise<RunResult['status']>((resolve, reject) => {
    actor.subscribe({
      complete: () => resolve(actor.getSnapshot().value as RunResult['status']),
      error: reject, // a bug in the engine
    });
    actor.start();
    for (const stop of stops) {
      if (stop?.aborted) cancel();
      else stop?.addEventListener('abort', cancel, { once: true });
    }
  });
  for (const stop of stops) stop?.removeEventListener('abort', cancel);
  return status;
}

/** A run also fails if an output of its pipeline has no value, although every step has succeeded. */
function endingOf(status: RunResult['status'], direction: Direction, state: RunState, signal?: AbortSignal): Ending {
  if (status !== 'succeeded') {
    const cause = status === 'cancelled' ? signal?.reason : state.failure;
    return { status, error: direction === 'undo' ? (cause ?? state.undoError) : cause };
  }
  if (direction === 'undo') return { status };
  try {
    return { status, outputs: state.outputs() };
  } catch (error) {
    return { status: 'failed', error };
  }
}

/**
 * Runs the steps of `finally`, within a time limit of their own. A resumed run repeats them, and their failure undoes
 * nothing. They cannot turn a failed run into a success, but a run whose `finally` fails has failed.
 */
async function withFinally(
  main: Ending,
  machine: MachineInput,
  state: RunState,
  { plan, signal, keepSignal, clock = REAL_CLOCK, stopping }: RunOptions & { stopping: Stopping },
): Promise<Ending> {
  if (plan.finally === undefined) return main;
  const { steps, budgetMs } = plan.finally;
  state.startFinally(main.status, main.error);
  const limit = new AbortController();
  const timer = clock.setTimeout(
    () => limit.abort(fail('E_STEP_TIME_LIMIT', { step: 'finally', limitMs: budgetMs, isTotal: true })),
    budgetMs,
  );
  const policies = policiesOf(steps);
  const input = { ...machine, frontier: new Frontier(steps), policies, onFailure: 'keep', onCancel: 'keep' } as const;
  // A signal that has stopped the run does not stop these steps. Only a later one does.
  const stops = [signal, keepSignal].filter((stop) => stop?.aborted !== true);
  const status = await drive(input, { stops: [...stops, limit.signal], stopping });
  clock.clearTimeout(timer);
  if (main.status !== 'succeeded' || status === 'succeeded') return main;
  const stopped = [limit.signal, ...stops].find((stop) => stop?.aborted === true);
  const isCancelled = status === 'cancelled' && !limit.signal.aborted;
  return { ...main, status: isCancelled ? 'cancelled' : 'failed', error: state.failure ?? stopped?.reason };
}
