/** One run of a plan on a host: the machines execute it, the book gives them their attempts and collects what came of it. */
import { createActor, type InputFrom } from 'xstate';
import type { Host } from '../host/host.ts';
import { Journal } from '../journal/journal.ts';
import { memoryStore } from '../journal/memory.ts';
import { JOURNAL_VERSION } from '../journal/records.ts';
import type { Plan } from '../pipeline/plan.ts';
import { fail } from '../sdk/errors.ts';
import type { StepStatus } from '../sdk/step-status.ts';
import type { Ask } from './approval.ts';
import { RunBook } from './book.ts';
import type { RunEvent, StepResult } from './events.ts';
import { Frontier } from './frontier.ts';
import { runMachine } from './run-machine.ts';
import type { Direction } from './step-machine.ts';

const MAX_PARALLEL = 8;

export type { RunEvent, StepResult } from './events.ts';

export interface RunResult {
  /** Its journal's; undefined where nothing was changed, and so nothing journaled. */
  id?: string;
  pipeline: string;
  status: 'succeeded' | 'failed' | 'cancelled';
  durationMs: number;
  /** Those of `finally` come last. */
  steps: StepResult[];
  /** What the pipeline gives; of a run that succeeded. */
  outputs?: unknown;
  /** What ended it, where it did not succeed. */
  error?: unknown;
}

export interface RunOptions {
  plan: Plan;
  host: Host;
  /** Left out: one that is gone with the process. One that has records already is gone on with. */
  journal?: Journal;
  onEvent?: (event: RunEvent) => void;
  /** Aborted with a reason to cancel the run; it still ends by itself, cleanly. */
  signal?: AbortSignal;
  /** Aborted to stop taking back, where a cancelled run does that. */
  keepSignal?: AbortSignal;
  /** The time of the machines; left out: real time. Tests hand in xstate's SimulatedClock. */
  clock?: ClockOfMachines;
  /** Asks whoever sits there for an approval; left out: answers come from elsewhere. */
  ask?: Ask;
  /** From 0 to 1, for pauses; left out: Math.random. */
  random?: () => number;
  maxParallel?: number;
  /** Left out: what was done stays, and the next run goes on from there. */
  onFailure?: 'undo' | 'keep';
  onCancel?: 'undo' | 'keep';
}
/** xstate's clock. */
export interface ClockOfMachines {
  setTimeout(fn: (...args: unknown[]) => void, timeoutMs: number): unknown;
  clearTimeout(id: unknown): void;
}

/** Executes every step of the plan that is not done yet. Never rejects for what a step did: that is in the result. */
export const run = (options: RunOptions): Promise<RunResult> => execute(options, 'run', false);

export interface UndoOptions extends Omit<RunOptions, 'onFailure' | 'onCancel' | 'maxParallel'> {
  journal: Journal;
  /** Also what somebody else has changed since. */
  overwrite?: boolean;
}

/** Takes back what the journal says was done. The plan is made of the journal: see `undoPlan`. */
export const undo = (options: UndoOptions): Promise<RunResult> => execute(options, 'undo', options.overwrite ?? false);

async function execute(options: RunOptions, direction: Direction, overwrite: boolean): Promise<RunResult> {
  const { plan, host, onEvent = () => undefined, signal, keepSignal, clock } = options;
  const { maxParallel = MAX_PARALLEL, onFailure = 'keep', onCancel = onFailure, random = Math.random } = options;
  const begunAt = host.now().getTime();
  const journal = options.journal ?? journalInMemory(plan, host);
  const book = new RunBook({ plan, host, journal, onEvent, ask: options.ask });
  if (options.journal?.isWritten === true) await book.tidy(new AbortController().signal);
  const done = book.resumeFrom(direction);
  const machine: MachineInput = {
    frontier: new Frontier(plan.steps, direction === 'run' ? done : endedOf(plan)),
    policies: new Map(plan.steps.map((step) => [step.id, step])),
    direction,
    attempt: (input) => book.attempt(input),
    decide: (id) => book.decide(id),
    restore: (stop) => book.restore(overwrite, stop),
    notify: (event) => book.notify(event),
    random,
    maxParallel,
    onFailure,
    onCancel,
  };
  const ended = await driven(machine, [signal, keepSignal], clock);
  const given = direction === 'run' && ended === 'succeeded' ? outputsOf(book) : {};
  const reached = given.error === undefined ? ended : 'failed';
  const cause = given.error ?? (reached === 'cancelled' ? signal?.reason : book.failure);
  const before = direction === 'undo' && reached !== 'succeeded' ? (cause ?? book.undoError) : cause;
  const last =
    direction === 'run' ? await finallyOf(plan, machine, book, { status: reached, error: before }, options) : {};
  const { status = reached, error = before } = last;
  await book.finish(direction, status, error);
  await journal.close();
  return {
    ...(options.journal?.isWritten ? { id: journal.id } : {}),
    pipeline: plan.pipeline,
    status,
    durationMs: host.now().getTime() - begunAt,
    steps: book.results(),
    ...(given.outputs === undefined ? {} : { outputs: given.outputs }),
    ...(error === undefined ? {} : { error }),
  };
}

type MachineInput = InputFrom<typeof runMachine>;
type Ending = Pick<RunResult, 'status' | 'error'>;

/** Runs the machines to their end. Each of `stops` that is aborted tells them once to stop. */
async function driven(
  input: MachineInput,
  stops: readonly (AbortSignal | undefined)[],
  clock: ClockOfMachines | undefined,
): Promise<RunResult['status']> {
  const actor = createActor(runMachine, { ...(clock === undefined ? {} : { clock: clock as never }), input });
  const cancel = () => actor.send({ type: 'cancel' });
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

/**
 * What comes after everything, however it went, within time of its own. It is begun anew whenever the run is gone on with, it is not
 * taken back by a failure of its own, and it makes no failed run good; but a run whose `finally` fails has failed.
 */
async function finallyOf(
  plan: Plan,
  machine: MachineInput,
  book: RunBook,
  ending: Ending,
  { signal, keepSignal, clock }: RunOptions,
): Promise<Partial<Ending>> {
  if (plan.finally === undefined) return {};
  const { steps, budgetMs } = plan.finally;
  book.beginFinally(ending);
  const time = clock ?? { setTimeout, clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout) };
  const limit = new AbortController();
  const timer = time.setTimeout(
    () => limit.abort(fail('E_STEP_TIME_LIMIT', { step: 'finally', limitMs: budgetMs, isTotal: true })),
    budgetMs,
  );
  const policies = new Map(steps.map((step) => [step.id, step]));
  const input = { ...machine, frontier: new Frontier(steps), policies, onFailure: 'keep', onCancel: 'keep' } as const;
  // What has stopped the run does not stop this: only what comes now.
  const stops = [signal, keepSignal].filter((stop) => stop?.aborted !== true);
  const status = await driven(input, [...stops, limit.signal], clock);
  time.clearTimeout(timer);
  if (ending.status !== 'succeeded' || status === 'succeeded') return {};
  const stopped = [limit.signal, ...stops].find((stop) => stop?.aborted === true);
  const isStopped = status === 'cancelled' && !limit.signal.aborted;
  return { status: isStopped ? 'cancelled' : 'failed', error: book.failure ?? stopped?.reason };
}

/** Of a pipeline whose outputs have no value, all that its steps did is done; the run has failed all the same. */
function outputsOf(book: RunBook): { outputs?: unknown; error?: unknown } {
  try {
    return { outputs: book.outputs() };
  } catch (error) {
    return { error };
  }
}

const journalInMemory = ({ pipeline, source, inputs, steps }: Plan, host: Host): Journal =>
  Journal.begin(memoryStore(), host.now, {
    ...{ version: JOURNAL_VERSION, id: 'memory', joinery: '', pipeline, source, inputs, host: host.facts },
    steps: steps.map(({ id }) => id),
  });

/** Taking back begins with every step of the journal ended: the plan has no others. */
const endedOf = ({ steps }: Plan): Map<string, StepStatus> => new Map(steps.map(({ id }) => [id, 'cancelled']));
