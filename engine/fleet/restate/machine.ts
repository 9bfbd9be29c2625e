/** The object `joinery-machine`, keyed by fleet and host: joins or undoes one machine. */

import type { RunEvent } from '../../run/events.ts';
import { fail, isJoinError } from '../../sdk/errors.ts';
import { defined } from '../../sdk/fields.ts';
import { clean } from '../../sdk/text.ts';
import type { Concurrency } from '../concurrency.ts';
import type { Fleet } from '../fleet.ts';
import type { Inspection, MachineContext, MachineSteps } from '../machine.ts';
import type { HostResult } from '../progress.ts';
import type { HostError, MachineStep } from '../status.ts';
import { MACHINE, type MachineRequest } from './names.ts';
import { type ObjectContext, object } from './sdk.ts';

/** What the operator's process lends the machines. */
export interface MachineDesk {
  readonly concurrency: Concurrency;
  /** Aborted when the operator stops. */
  readonly signal: AbortSignal;
  fleetOf(workflow: string): Promise<Fleet>;
  stepsFor(fleet: Fleet): Promise<MachineSteps>;
  /** The machine is in this step now. */
  entered(host: string, step: MachineStep): void;
  heard(host: string, event: RunEvent): void;
  /** The number of the first event of the run that is not known here. */
  nextEvent(host: string): number;
}

interface MachineState {
  /** The rollout that has begun to join the machine, and the run on it. */
  last: { rollout: string; run?: string };
  [name: string]: unknown;
}
type Machine = ObjectContext<MachineState>;
export type MachineHandlers = ReturnType<typeof machineHandlers>;

const DAY_MS = 86_400_000;
/** A join may wait for an approval. */
const OPTIONS = { inactivityTimeout: DAY_MS, abortTimeout: DAY_MS, journalRetention: 0 };

export const machineObject = (desk: MachineDesk) =>
  object({ ...MACHINE, handlers: machineHandlers(desk), options: OPTIONS });

function machineHandlers(desk: MachineDesk) {
  const running: Running = new Map();
  return {
    async join(context: Machine, request: MachineRequest): Promise<HostResult> {
      const startedAt = await context.date.toJSON();
      const last = await context.get('last');
      const isOurs = last?.rollout === request.rollout;
      const permit = await desk.concurrency.acquire(context.request().attemptCompletedSignal);
      try {
        const ending = await new MachineJoin(context, request, desk, running).join(isOurs);
        return { ...ending, startedAt, endedAt: await context.date.toJSON() };
      } finally {
        permit.release();
      }
    },

    async undo(context: Machine, request: MachineRequest): Promise<HostResult> {
      const startedAt = await context.date.toJSON();
      const last = await context.get('last');
      if (last?.rollout !== request.rollout) return { state: 'unchanged', startedAt, endedAt: startedAt };
      const error = await new MachineJoin(context, request, desk, running).undo(last.run);
      const endedAt = await context.date.toJSON();
      if (error !== undefined) return { state: 'failed', step: 'undo', error, startedAt, endedAt };
      context.clear('last');
      return { state: 'undone', startedAt, endedAt };
    },
  };
}

type Ending = Pick<HostResult, 'state' | 'step' | 'run' | 'error'>;
/** Undefined values are absent in the journal of Restate. */
type Outcome<T> = { value: T } | { error: HostError; isTransient: boolean; run?: string };

/** Steps that are in progress in this process. A repeated request waits for the same step instead of a second one. */
type Running = Map<string, Promise<Outcome<unknown>>>;

type Act<T> = (steps: MachineSteps, machine: MachineContext) => Promise<T>;

const ATTEMPTS = 4;
const PAUSE_MS = 2_000;
const PAUSE_MS_MAX = 30_000;
/** Steps that ask the API server. It may refuse each of their requests for a while. */
const API_STEPS: readonly MachineStep[] = ['token', 'verify', 'revoke'];
const API_ATTEMPTS = 8;

class MachineJoin {
  readonly #context: Machine;
  readonly #request: MachineRequest;
  readonly #desk: MachineDesk;
  readonly #running: Running;
  #run: string | undefined;

  constructor(context: Machine, request: MachineRequest, desk: MachineDesk, running: Running) {
    this.#context = context;
    this.#request = request;
    this.#desk = desk;
    this.#running = running;
  }

  async join(isOurs: boolean): Promise<Ending> {
    for (const step of ['reach', 'install'] as const) {
      const outcome = await this.#step<unknown>(step, (steps, machine) => steps[step](machine));
      if ('error' in outcome) return { state: 'failed', step, error: outcome.error };
    }
    let fresh: Inspection | undefined;
    const found = await this.#step('inspect', async (steps, machine) => {
      fresh = await steps.inspect(machine);
      return fresh;
    });
    if ('error' in found) return { state: 'failed', step: 'inspect', error: found.error };
    if (found.value.state === 'joined') return this.#joined(found.value.run, isOurs ? 'joined' : 'unchanged');
    this.#context.set('last', { rollout: this.#request.rollout });
    const token = await this.#step('token', (steps, machine) => steps.token(machine));
    if ('error' in token) return { state: 'failed', step: 'token', error: token.error };
    const joined = await this.#step('join', async (steps, machine) => {
      this.#run = undefined;
      // After a crash, the machine may have got further than it had when it was inspected.
      const now = fresh ?? (await steps.inspect(machine));
      fresh = undefined;
      if (now.state === 'joined') return { run: now.run };
      const watch = {
        fromSeq: this.#desk.nextEvent(this.#request.host),
        onEvent: (event: RunEvent) => this.#heard(event),
      };
      return steps.join(machine, now, token.value, watch);
    });
    const run = 'value' in joined ? joined.value.run : joined.run;
    if (run !== undefined) this.#context.set('last', { rollout: this.#request.rollout, run });
    const ending = 'error' in joined ? failed('join', joined.error, run) : await this.#joined(run, 'joined');
    const revoked = await this.#step('revoke', (steps, machine) => steps.revoke(machine, token.value));
    return 'error' in revoked ? withTokenLeft(ending, token.value, revoked.error) : ending;
  }

  async undo(run: string | undefined): Promise<HostError | undefined> {
    const outcome = await this.#step('undo', (steps, machine) => steps.undo(machine, run));
    return 'error' in outcome ? outcome.error : undefined;
  }

  async #joined(run: string | undefined, state: 'joined' | 'unchanged'): Promise<Ending> {
    const verified = await this.#step('verify', (steps, machine) => steps.verify(machine));
    if ('error' in verified) return failed('verify', verified.error, run);
    return run === undefined ? { state } : { state, run };
  }

  #heard(event: RunEvent): void {
    this.#run = event.run;
    this.#desk.heard(this.#request.host, event);
  }

  /** Tries a step until it succeeds, or fails in a way that another attempt does not change. */
  async #step<T>(name: MachineStep, act: Act<T>): Promise<Outcome<T>> {
    const attempts = API_STEPS.includes(name) ? API_ATTEMPTS : ATTEMPTS;
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#context.run(name, () => this.#once(`${name} ${attempt}`, name, act));
      if (!('error' in outcome) || !outcome.isTransient || attempt === attempts) return outcome;
      await this.#context.sleep(Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** (attempt - 1)));
    }
  }

  /** A request that Restate repeats while the step is still in progress waits for that step. */
  async #once<T>(attempt: string, name: MachineStep, act: Act<T>): Promise<Outcome<T>> {
    const { workflow, host, attempt: joining } = this.#request;
    const key = JSON.stringify([workflow, host, joining, attempt]);
    const known = this.#running.get(key) ?? this.#execute(name, act).finally(() => this.#running.delete(key));
    this.#running.set(key, known);
    return (await known) as Outcome<T>;
  }

  async #execute<T>(name: MachineStep, act: Act<T>): Promise<Outcome<T>> {
    const { concurrency, signal } = this.#desk;
    const { rollout, attempt } = this.#request;
    this.#desk.entered(this.#request.host, name);
    const fleet = await this.#desk.fleetOf(this.#request.workflow);
    const host = fleet.hosts.find((each) => each.name === this.#request.host);
    if (host === undefined) throw new Error(`the fleet has no host ${this.#request.host}`);
    const startedMs = Date.now();
    try {
      const steps = await this.#desk.stepsFor(fleet);
      const value = await act(steps, { fleet, rollout, host, attempt, signal });
      if (API_STEPS.includes(name)) concurrency.observe({ startedMs, endedMs: Date.now() });
      return { value };
    } catch (error) {
      if (signal.aborted) throw error; // it is not recorded, so the next operator repeats the step
      const overload = overloadOf(error);
      if (overload !== undefined) concurrency.observe({ startedMs, endedMs: Date.now(), overload });
      return {
        error: hostError(error),
        isTransient: isJoinError(error) && error.transient,
        ...defined({ run: this.#run }),
      };
    }
  }
}

/** A token that could not be deleted is reported, also if the join has failed before. */
function withTokenLeft(ending: Ending, token: string, error: HostError): Ending {
  if (ending.error === undefined) return { ...ending, step: 'revoke', error };
  const message = `${ending.error.message}; its token ${token} is still in the cluster: ${error.message}`;
  return { ...ending, error: { ...ending.error, message } };
}

const failed = (step: MachineStep, error: HostError, run: string | undefined): Ending => ({
  state: 'failed',
  step,
  error,
  ...defined({ run }),
});

/** What an error says of the API server. A machine that cannot be reached says nothing of it. */
function overloadOf(error: unknown): string | undefined {
  if (!isJoinError(error)) return undefined;
  if (error.code === 'E_API_UNAVAILABLE') return `HTTP ${(error.facts as { status?: number }).status ?? 503}`;
  return ['E_API_UNREACHABLE', 'E_STEP_TIME_LIMIT'].includes(error.code) ? error.code : undefined;
}

const hostError = (thrown: unknown): HostError => {
  const bug = () =>
    fail('E_FLEET_BUG', { what: clean(thrown instanceof Error ? (thrown.stack ?? '') : String(thrown)) });
  const { code, message, hint } = isJoinError(thrown) ? thrown : bug();
  return { code, message, next: hint };
};
