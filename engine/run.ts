/** One run of a plan on a host: the machines execute it, this file gives them their attempts and collects what came of it. */
import { createActor } from 'xstate';
import { Frontier, type StepStatus } from './frontier.ts';
import type { Host } from './host/host.ts';
import { forgetOnce, portsFor, type StepChange } from './host/ports.ts';
import { type AttemptInput, type MachineEvent, runMachine } from './machine.ts';
import { inputOf, type Plan, type PlannedStep } from './pipeline/plan.ts';
import { violations } from './pipeline/validate.ts';
import { fail, isJoinError } from './sdk/errors.ts';
import { withSecrets } from './sdk/schema.ts';
import { revealed } from './sdk/secret.ts';

const MAX_PARALLEL = 8;

export type RunEvent =
  | MachineEvent
  | { type: 'step.log'; id: string; level: 'info' | 'warn'; text: string }
  | { type: 'step.change'; id: string; change: StepChange };

export interface StepResult {
  id: string;
  phase: string;
  status: StepStatus;
  attempts: number;
  durationMs: number;
  notes: { level: 'info' | 'warn'; text: string }[];
  changes: StepChange[];
  /** Typed by the phase's schema; secrets are `Secret`s. */
  outputs?: unknown;
  error?: unknown;
}

export interface RunResult {
  pipeline: string;
  status: 'succeeded' | 'failed' | 'cancelled';
  durationMs: number;
  steps: StepResult[];
  /** What ended it, where it did not succeed. */
  error?: unknown;
}

export interface RunOptions {
  plan: Plan;
  host: Host;
  onEvent?: (event: RunEvent) => void;
  /** Aborted with a reason to cancel the run; it still ends by itself, cleanly. */
  signal?: AbortSignal;
  /** The time of the machines; left out: real time. Tests hand in xstate's SimulatedClock. */
  clock?: ClockOfMachines;
  maxParallel?: number;
}
/** xstate's clock. */
export interface ClockOfMachines {
  setTimeout(fn: (...args: unknown[]) => void, timeoutMs: number): unknown;
  clearTimeout(id: unknown): void;
}

/** Executes every step of the plan. Never rejects for what a step did: that is in the result. */
export async function run(options: RunOptions): Promise<RunResult> {
  const { plan, host, onEvent = () => undefined, signal, clock, maxParallel = MAX_PARALLEL } = options;
  const begunAt = host.now().getTime();
  const book = new RunBook(plan, host, onEvent);
  const actor = createActor(runMachine, {
    ...(clock === undefined ? {} : { clock: clock as never }),
    input: {
      frontier: new Frontier(plan.steps),
      policies: new Map(plan.steps.map((step) => [step.id, step])),
      attempt: (input) => book.attempt(input),
      notify: (event) => book.notify(event),
      maxParallel,
    },
  });
  const cancel = () => actor.send({ type: 'cancel' });
  const status = await new Promise<RunResult['status']>((resolve, reject) => {
    actor.subscribe({
      complete: () => resolve(actor.getSnapshot().value as RunResult['status']),
      error: reject, // a bug in the engine
    });
    actor.start();
    if (signal?.aborted) cancel();
    else signal?.addEventListener('abort', cancel, { once: true });
  });
  signal?.removeEventListener('abort', cancel);
  await forgetOnce(host);
  const steps = book.results();
  const error = status === 'cancelled' ? signal?.reason : steps.find((step) => step.error !== undefined)?.error;
  return {
    pipeline: plan.pipeline,
    status,
    durationMs: host.now().getTime() - begunAt,
    steps,
    ...(error === undefined ? {} : { error }),
  };
}

/** What is known of every step of one run. */
class RunBook {
  readonly #plan: Plan;
  readonly #host: Host;
  readonly #onEvent: (event: RunEvent) => void;
  readonly #outputs = new Map<string, unknown>();
  readonly #results: Map<string, StepResult>;
  readonly #steps: Map<string, PlannedStep>;
  readonly #begunAt = new Map<string, number>();

  constructor(plan: Plan, host: Host, onEvent: (event: RunEvent) => void) {
    this.#plan = plan;
    this.#host = host;
    this.#onEvent = onEvent;
    this.#steps = new Map(plan.steps.map((step) => [step.id, step]));
    this.#results = new Map(
      plan.steps.map(({ id, phase }) => [
        id,
        { id, phase: phase.name, status: 'skipped', attempts: 0, durationMs: 0, notes: [], changes: [] },
      ]),
    );
  }

  results(): StepResult[] {
    return [...this.#results.values()];
  }

  notify(event: MachineEvent): void {
    const result = this.#result(event.id);
    const now = this.#host.now().getTime();
    if (event.type === 'step.started' && event.attempt === 1) this.#begunAt.set(event.id, now);
    if (event.type === 'step.ended') {
      const { status, attempts, error } = event;
      Object.assign(result, { status, attempts, durationMs: now - (this.#begunAt.get(event.id) ?? now) });
      if (error !== undefined) result.error = error;
    }
    this.#onEvent(event);
  }

  /** One try of one step: its inputs, its ports, its phase, its checked outputs. */
  async attempt({ id, signal }: AttemptInput): Promise<'succeeded' | 'undecided'> {
    const step = this.#steps.get(id);
    if (step === undefined) throw new Error(`no step ${id}`);
    const result = this.#result(id);
    result.notes = []; // those of the attempt before
    try {
      // What could not be decided cannot be read; the step that reads it follows.
      if (step.reads.some((other) => this.#results.get(other)?.status === 'undecided')) return 'undecided';
      const input = inputOf(this.#plan, step, this.#outputs);
      const outputs = await runPhase(step, input as object, this.#host, signal, {
        log: (level, text) => {
          result.notes.push({ level, text });
          this.#onEvent({ type: 'step.log', id, level, text });
        },
        onChange: (change) => {
          result.changes.push(change);
          this.#onEvent({ type: 'step.change', id, change });
        },
      });
      this.#outputs.set(id, outputs);
      result.outputs = outputs;
      return 'succeeded';
    } catch (error) {
      if (isJoinError(error) && error.code === 'E_UNDECIDED') {
        result.notes.push({ level: 'warn', text: error.message });
        return 'undecided';
      }
      throw blamed(error, id, signal);
    }
  }

  #result(id: string): StepResult {
    const result = this.#results.get(id);
    if (result === undefined) throw new Error(`no step ${id}`);
    return result;
  }
}

async function runPhase(
  { id, phase }: PlannedStep,
  input: object,
  host: Host,
  signal: AbortSignal,
  tell: Pick<Parameters<typeof portsFor>[0], 'log' | 'onChange'>,
): Promise<unknown> {
  const ended = new AbortController();
  const ports = portsFor({
    host,
    step: id,
    effects: phase.effects,
    input,
    signal: AbortSignal.any([signal, ended.signal]),
    ...tell,
  });
  try {
    const outputs = await phase.run(ports, input);
    const problems = violations(phase.output, revealed(outputs)).map(
      ({ path, message }) => `${path.join('.')} ${message}`,
    );
    if (problems.length > 0) throw fail('E_OUTPUT', { phase: phase.name, problems });
    return withSecrets(phase.output, outputs);
  } finally {
    ended.abort(); // from here on its ports refuse: a promise it forgot cannot change anything
  }
}

/** The error with its step. When the attempt was told to stop, the reason for that is what counts. */
function blamed(error: unknown, step: string, signal: AbortSignal): unknown {
  const cut = signal.aborted && !(isJoinError(error) && error.code !== 'E_ATTEMPT_ENDED');
  const told: unknown = cut ? signal.reason : error;
  if (isJoinError(told)) told.step = step;
  return told;
}
