/** One run of a plan on a host: the machines execute it, the book gives them their attempts and collects what came of it. */
import { createActor } from 'xstate';
import type { Ask } from './approval.ts';
import { RunBook, type RunEvent, type StepResult } from './book.ts';
import { Frontier, type StepStatus } from './frontier.ts';
import type { Host } from './host/host.ts';
import { Journal } from './journal/journal.ts';
import { memoryStore } from './journal/memory.ts';
import { JOURNAL_VERSION } from './journal/records.ts';
import { runMachine } from './machine.ts';
import type { Plan } from './pipeline/plan.ts';
import type { Direction } from './step-machine.ts';

const MAX_PARALLEL = 8;

export type { RunEvent, StepResult } from './book.ts';

export interface RunResult {
  /** Its journal's; undefined where nothing was changed, and so nothing journaled. */
  id?: string;
  pipeline: string;
  status: 'succeeded' | 'failed' | 'cancelled';
  durationMs: number;
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

/** Takes back what the journal says was done. The plan is made of the journal: see `planOfHistory`. */
export const undo = (options: UndoOptions): Promise<RunResult> => execute(options, 'undo', options.overwrite ?? false);

async function execute(options: RunOptions, direction: Direction, overwrite: boolean): Promise<RunResult> {
  const { plan, host, onEvent = () => undefined, signal, keepSignal, clock } = options;
  const { maxParallel = MAX_PARALLEL, onFailure = 'keep', onCancel = onFailure, random = Math.random } = options;
  const begunAt = host.now().getTime();
  const journal = options.journal ?? journalInMemory(plan, host);
  const book = new RunBook({ plan, host, journal, onEvent, ask: options.ask });
  if (options.journal?.isWritten === true) await book.tidy(new AbortController().signal);
  const done = book.takeUp(direction);
  const actor = createActor(runMachine, {
    ...(clock === undefined ? {} : { clock: clock as never }),
    input: {
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
    },
  });
  const cancel = () => actor.send({ type: 'cancel' });
  const ended = await new Promise<RunResult['status']>((resolve, reject) => {
    actor.subscribe({
      complete: () => resolve(actor.getSnapshot().value as RunResult['status']),
      error: reject, // a bug in the engine
    });
    actor.start();
    for (const stop of [signal, keepSignal]) {
      if (stop?.aborted) cancel();
      else stop?.addEventListener('abort', cancel, { once: true });
    }
  });
  for (const stop of [signal, keepSignal]) stop?.removeEventListener('abort', cancel);
  const given = direction === 'run' && ended === 'succeeded' ? outputsOf(book) : {};
  const status = given.error === undefined ? ended : 'failed';
  const cause = given.error ?? (status === 'cancelled' ? signal?.reason : book.failure);
  const error = direction === 'undo' && status !== 'succeeded' ? (cause ?? book.undoError) : cause;
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
