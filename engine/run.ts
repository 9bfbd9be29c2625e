/** One run of a plan on a host: the machines execute it, this file gives them their attempts and collects what came of it. */
import { createActor } from 'xstate';
import { Frontier, type StepStatus } from './frontier.ts';
import type { Change, Host, StepChange } from './host/host.ts';
import { forgetOnce, portsFor } from './host/ports.ts';
import { type AttemptInput, type MachineEvent, runMachine } from './machine.ts';
import type { PlannedStep } from './pipeline/check.ts';
import { inputOf, type Plan } from './pipeline/plan.ts';
import { violations } from './pipeline/validate.ts';
import { fail, isJoinError } from './sdk/errors.ts';
import type { Ports } from './sdk/ports.ts';
import { withSecrets } from './sdk/schema.ts';
import { revealed } from './sdk/secret.ts';

const MAX_PARALLEL = 8;
/** Made once: a reason of its own for every attempt would cost as much as the rest of it. */
const ENDED = new Error('the attempt has ended');

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
  /** Left out: what was done stays, and the next run goes on from there. */
  onFailure?: 'undo' | 'keep';
}
/** xstate's clock. */
export interface ClockOfMachines {
  setTimeout(fn: (...args: unknown[]) => void, timeoutMs: number): unknown;
  clearTimeout(id: unknown): void;
}

/** Executes every step of the plan. Never rejects for what a step did: that is in the result. */
export async function run(options: RunOptions): Promise<RunResult> {
  const { plan, host, onEvent = () => undefined, signal, clock } = options;
  const { maxParallel = MAX_PARALLEL, onFailure = 'keep' } = options;
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
      onFailure,
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
  readonly #inputs = new Map<string, object>();
  /** For each step what takes its changes back, in the order in which they were made. */
  readonly #backs = new Map<string, Change[]>();

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
      if (status === 'undone' || status === 'undo-failed') {
        result.status = status; // the rest tells how it ran
        if (error !== undefined) result.notes.push({ level: 'warn', text: `not undone: ${(error as Error).message}` });
      } else {
        Object.assign(result, { status, attempts, durationMs: now - (this.#begunAt.get(event.id) ?? now) });
        if (error !== undefined) result.error = error;
      }
    }
    this.#onEvent(event);
  }

  /** One try of a step, or of undoing it. */
  async attempt({ id, direction, signal }: AttemptInput): Promise<'succeeded' | 'undecided' | 'undone'> {
    const step = this.#steps.get(id);
    if (step === undefined) throw new Error(`no step ${id}`);
    try {
      return await (direction === 'run' ? this.#run(step, signal) : this.#undo(step, signal));
    } catch (error) {
      throw blamed(error, id, signal);
    }
  }

  /** Its inputs, its ports, its phase, its checked outputs. */
  async #run(step: PlannedStep, signal: AbortSignal): Promise<'succeeded' | 'undecided'> {
    const { id, phase } = step;
    const result = this.#result(id);
    result.notes = []; // those of the attempt before
    // What could not be decided cannot be read; the step that reads it follows.
    if (step.reads.some((other) => this.#results.get(other)?.status === 'undecided')) return 'undecided';
    const input = inputOf(this.#plan, step, this.#outputs);
    this.#inputs.set(id, input);
    try {
      const outputs = await this.#withPorts(step, input, signal, (ports) => phase.run(ports, input));
      const problems = violations(phase.output, revealed(outputs)).map(
        ({ path, message }) => `${path.join('.')} ${message}`,
      );
      if (problems.length > 0) throw fail('E_OUTPUT', { phase: phase.name, problems });
      result.outputs = withSecrets(phase.output, outputs);
      this.#outputs.set(id, result.outputs);
      return 'succeeded';
    } catch (error) {
      if (!isJoinError(error) || error.code !== 'E_UNDECIDED') throw error;
      result.notes.push({ level: 'warn', text: error.message });
      return 'undecided';
    }
  }

  /** What left the machine is the phase's to take back; the machine is ours, last change first. */
  async #undo(step: PlannedStep, signal: AbortSignal): Promise<'undone'> {
    const { id, phase } = step;
    const input = this.#inputs.get(id);
    if (input !== undefined && phase.undo !== undefined)
      await this.#withPorts(step, input, signal, async (ports) => phase.undo?.(ports, input));
    const backs = this.#backs.get(id) ?? [];
    for (let back = backs.at(-1); back !== undefined; back = backs.at(-1)) {
      await this.#host.apply(back, signal);
      backs.pop();
    }
    return 'undone';
  }

  /** Hands out ports that refuse once `act` has ended: a promise it forgot cannot change anything. */
  async #withPorts<T>(
    { id, phase }: PlannedStep,
    input: object,
    signal: AbortSignal,
    act: (ports: Ports) => Promise<T>,
  ) {
    const ended = new AbortController();
    const cut = () => ended.abort(signal.reason);
    if (signal.aborted) cut();
    else signal.addEventListener('abort', cut, { once: true });
    const result = this.#result(id);
    const ports = portsFor({
      host: this.#host,
      step: id,
      effects: phase.effects,
      input,
      signal: ended.signal,
      log: (level, text) => {
        result.notes.push({ level, text });
        this.#onEvent({ type: 'step.log', id, level, text });
      },
      onChange: (change) => {
        result.changes.push(change);
        this.#onEvent({ type: 'step.change', id, change });
      },
      onApply: (back) => this.#backs.set(id, [...(this.#backs.get(id) ?? []), back]),
    });
    try {
      return await act(ports);
    } finally {
      signal.removeEventListener('abort', cut);
      ended.abort(ENDED);
    }
  }

  #result(id: string): StepResult {
    const result = this.#results.get(id);
    if (result === undefined) throw new Error(`no step ${id}`);
    return result;
  }
}

/** The error with its step. When the attempt was told to stop, the reason for that is what counts. */
function blamed(error: unknown, step: string, signal: AbortSignal): unknown {
  const cut = signal.aborted && !(isJoinError(error) && error.code !== 'E_ATTEMPT_ENDED');
  const told: unknown = cut ? signal.reason : (error ?? new Error('the phase threw nothing'));
  if (isJoinError(told)) told.step = step;
  return told;
}
