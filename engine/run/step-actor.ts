/**
 * The actor of one step. It starts attempts, with a time limit for each and for all of them, and pauses between them.
 * While an attempt waits for an approval, the deadline of the approval replaces its time limit.
 *
 * It is one callback actor, and not a state machine with an actor for each attempt: that took twice the time of
 * everything else that the engine does for a step.
 */
import { fromCallback } from 'xstate';
import type { Retry } from '../pipeline/planned-step.ts';
import { fail, isJoinError, type JoinError } from '../sdk/errors.ts';
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

/** One attempt to run or undo a step. The actor aborts `signal` when the time is up. */
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

/** Sent to the actor. After `finish`, no attempt follows the current one. */
export type StepCommand = { type: 'stop' } | { type: 'finish' };

/** Sent by the actor. `step.broken` reports a bug in the engine. */
export type StepReport = { type: 'step.done'; end: StepEnd } | { type: 'step.broken'; error: unknown };

/** xstate's clock. */
export interface Clock {
  setTimeout(fn: (...args: unknown[]) => void, timeoutMs: number): unknown;
  clearTimeout(id: unknown): void;
}

export interface StepOptions {
  policy: StepPolicy;
  direction: Direction;
  attempt: Attempt;
  notify: (event: MachineEvent) => void;
  /** A number from 0 to 1. */
  random: () => number;
  clock: Clock;
}

export const stepActor = fromCallback<StepCommand, StepOptions>(({ input, sendBack, receive }) => {
  const step = new StepRun(input);
  receive((command) => step.receive(command));
  step.run().then(
    (end) => sendBack({ type: 'step.done', end } satisfies StepReport),
    (error: unknown) => sendBack({ type: 'step.broken', error } satisfies StepReport),
  );
});

/** How an attempt ended. */
interface Outcome {
  status: StepStatus;
  error?: unknown;
  /** The attempt did not end when it was stopped, so another one must not start. */
  isStuck?: true;
}

type State = 'running' | 'awaitingApproval' | 'stopping' | 'pausing';

/** The actor without xstate. Its limits and pauses use the clock that it is given. */
export class StepRun {
  readonly #options: StepOptions;
  #state: State = 'running';
  #tries = 0;
  #abort: AbortController | undefined;
  #isCancelled = false;
  /** How many attempts have reached their time limit. */
  #timeouts = 0;
  /** No attempt follows: the total time is up, or another step has failed. */
  #isLate = false;
  /** Why the last attempt failed. */
  #error: unknown;
  /** Stops waiting for an attempt that is stuck. */
  #leave: (outcome: Outcome) => void = () => undefined;
  #endPause: () => void = () => undefined;
  /** The timer of the state. */
  #timer: unknown;

  constructor(options: StepOptions) {
    this.#options = options;
  }

  /** Call it once. Rejects only for a bug in the engine. */
  async run(): Promise<StepEnd> {
    const { policy, direction, clock } = this.#options;
    // An undo has no total time limit.
    const isLimited = policy.totalMs !== undefined && direction === 'run';
    const total = isLimited ? clock.setTimeout(() => this.#stopForTotal(), policy.totalMs ?? 0) : undefined;
    let outcome = await this.#attempt();
    while (this.#mayRetry(outcome) && (await this.#pause(outcome))) outcome = await this.#attempt();
    if (isLimited) clock.clearTimeout(total);
    return this.#endOf(outcome);
  }

  receive({ type }: StepCommand): void {
    if (type === 'finish') this.#isLate = true;
    else this.#isCancelled = true;
    if (this.#state === 'pausing') this.#endPause();
    else if (type === 'stop' && this.#state !== 'stopping') this.#stop(fail('E_CANCELLED', { signal: 'the run' }));
  }

  async #attempt(): Promise<Outcome> {
    const { policy, direction, notify } = this.#options;
    this.#tries++;
    const abort = new AbortController();
    this.#abort = abort;
    this.#isCancelled = false;
    notify({ type: 'step.started', id: policy.id, attempt: this.#tries, direction });
    this.#enter('running', this.#limitMs, () => this.#stopForLimit());
    const outcome = await new Promise<Outcome>((resolve) => {
      this.#leave = resolve;
      void this.#perform(abort.signal).then(resolve);
    });
    this.#options.clock.clearTimeout(this.#timer);
    return outcome;
  }

  async #perform(signal: AbortSignal): Promise<Outcome> {
    const { policy, direction, attempt } = this.#options;
    try {
      await undefined; // a step that is cancelled as soon as it is announced does nothing
      signal.throwIfAborted();
      const status = await attempt({
        id: policy.id,
        direction,
        attempt: this.#tries,
        signal,
        limitMs: this.#limitMs,
        waiting: (leftMs) => this.#awaitApproval(leftMs),
      });
      return { status }; // a stopped attempt may still succeed
    } catch (error) {
      this.#error = error;
      return { status: 'failed', error };
    }
  }

  #mayRetry({ status, error, isStuck }: Outcome): boolean {
    const { policy, direction } = this.#options;
    if (status !== 'failed' || isStuck || this.#isCancelled || this.#isLate) return false;
    return isRetried(policy, error) && this.#tries < Math.min(policy.retry.attempts, ATTEMPTS_MAX[direction]);
  }

  /** Whether another attempt follows the pause. */
  async #pause({ error }: Outcome): Promise<boolean> {
    const { policy, notify } = this.#options;
    const pauseMs = this.#pauseMs(error);
    notify({ type: 'step.retrying', id: policy.id, attempt: this.#tries, pauseMs, error });
    await new Promise<void>((resolve) => {
      this.#endPause = resolve;
      this.#enter('pausing', pauseMs, resolve);
    });
    this.#options.clock.clearTimeout(this.#timer);
    return !this.#isCancelled && !this.#isLate;
  }

  /** The pause of the policy, or a longer one that a server asked for, up to the time limit of an attempt. */
  #pauseMs(error: unknown): number {
    const { policy, random } = this.#options;
    const { retry, timeoutMs } = policy;
    const { jitter = 0 } = retry;
    const base = Math.min(retry.capMs, retry.initialMs * retry.factor ** (this.#tries - 1));
    const planned = Math.round(base * (1 + jitter * (2 * random() - 1)));
    const retryAfterMs = isJoinError(error) ? (error.retryAfterMs ?? 0) : 0;
    return Math.max(planned, Math.min(retryAfterMs, timeoutMs));
  }

  /**
   * If there is a total limit, the limit of an attempt doubles after each timeout. So an attempt eventually has enough
   * time for all its requests, even if the answers are slow.
   */
  get #limitMs(): number {
    const { policy } = this.#options;
    return outlastsAttempt(policy) ? policy.timeoutMs * 2 ** this.#timeouts : policy.timeoutMs;
  }

  #awaitApproval(leftMs: number): void {
    if (this.#state !== 'running') return;
    const { id } = this.#options.policy;
    this.#enter('awaitingApproval', leftMs, () => this.#stop(fail('E_APPROVAL_TIMEOUT', { step: id })));
  }

  #enter(state: State, ms: number, act: () => void): void {
    const { clock } = this.#options;
    clock.clearTimeout(this.#timer);
    this.#state = state;
    this.#timer = clock.setTimeout(act, ms);
  }

  #stop(reason: JoinError): void {
    const { id } = this.#options.policy;
    const stuck = () => fail('E_STEP_STUCK', { step: id, graceMs: GRACE_MS });
    this.#enter('stopping', GRACE_MS, () => this.#leave({ status: 'failed', error: stuck(), isStuck: true }));
    this.#abort?.abort(reason);
  }

  #stopForLimit(): void {
    const limitMs = this.#limitMs;
    this.#timeouts++;
    this.#stop(fail('E_STEP_TIME_LIMIT', { step: this.#options.policy.id, limitMs }));
  }

  /** Until an approval arrives, only its deadline counts. */
  #stopForTotal(): void {
    if (this.#state === 'awaitingApproval') return;
    this.#isLate = true;
    if (this.#state === 'pausing') this.#endPause();
    const { id, timeoutMs, totalMs = 0 } = this.#options.policy;
    const facts = { step: id, limitMs: totalMs, isTotal: totalMs !== timeoutMs };
    if (this.#state === 'running') this.#stop(fail('E_STEP_TIME_LIMIT', facts, this.#error));
  }

  #endOf({ status, error, isStuck }: Outcome): StepEnd {
    const isCancelled = this.#isCancelled && status === 'failed' && !isStuck;
    const end = isCancelled ? { status: 'cancelled' as const } : { status, ...defined({ error }) };
    return { id: this.#options.policy.id, attempts: this.#tries, ...end, status: this.#statusOf(end.status) };
  }

  #statusOf(status: StepStatus): StepStatus {
    const { policy, direction } = this.#options;
    if (direction === 'undo') return status === 'undone' ? 'undone' : 'undo-failed';
    return status === 'failed' && policy.allowFailure === true ? 'failed-allowed' : status;
  }
}

/** Whether there may be time for another attempt after one has timed out. */
const outlastsAttempt = ({ timeoutMs, totalMs = 0 }: StepPolicy): boolean => totalMs > timeoutMs;

function isRetried(policy: StepPolicy, error: unknown): boolean {
  if (!isJoinError(error)) return false;
  const isPassing = error.transient || (error.code === 'E_STEP_TIME_LIMIT' && outlastsAttempt(policy));
  const { on = ['transient'] } = policy.retry;
  return on.some((kind) => (kind === 'transient' ? isPassing : error.code === kind));
}
