/** What is known about each step of one run: its input, its outputs, its status and its result. */
import type { Host } from '../host/host.ts';
import type { History } from '../journal/history.ts';
import type { Journal } from '../journal/journal.ts';
import type { Plan } from '../pipeline/plan.ts';
import type { PlannedStep } from '../pipeline/planned-step.ts';
import { outputsOf, type RunValues } from '../pipeline/values.ts';
import { JoinError, type OwnError } from '../sdk/errors.ts';
import { defined } from '../sdk/fields.ts';
import { wrapSecrets } from '../sdk/schema.ts';
import { revealSecrets } from '../sdk/secret.ts';
import { endsWell, type StepStatus } from '../sdk/step-status.ts';
import { errorRecord } from './error-record.ts';
import type { EventStream, StepResult } from './events.ts';
import type { Redactor } from './redact.ts';

/** What the parts of a run share. */
export interface RunResources {
  plan: Plan;
  host: Host;
  journal: Journal;
  redactor: Redactor;
  stream: EventStream;
}

export class RunState {
  readonly #resources: RunResources;
  readonly #steps: ReadonlyMap<string, PlannedStep>;
  readonly #inputs = new Map<string, object>();
  readonly #outputs = new Map<string, unknown>();
  readonly #statuses = new Map<string, StepStatus>();
  readonly #results: ReadonlyMap<string, StepResult>;
  /** The values that expressions read. */
  readonly values: RunValues;
  /** The errors of the steps that failed. */
  readonly failures = new Map<string, unknown>();
  /** The first reason why a change was not undone. */
  undoError: unknown;
  /** All changes of the run are undone. */
  isUndone = false;
  /** Steps that could not be undone outside this machine, each with the reason. */
  readonly undoFailures = new Map<string, string>();

  constructor(resources: RunResources) {
    const { plan, host, redactor } = resources;
    this.#resources = resources;
    const steps = [...plan.steps, ...(plan.finally?.steps ?? [])];
    this.#steps = new Map(steps.map((step) => [step.id, step]));
    this.#results = new Map(steps.map((step) => [step.id, emptyResult(step)]));
    this.values = { outputs: this.#outputs, statuses: this.#statuses, isDry: host.isDry === true };
    redactor.learn(plan.inputs);
  }

  step(id: string): PlannedStep {
    return found(this.#steps, id);
  }
  result(id: string): StepResult {
    return found(this.#results, id);
  }
  findResult(id: string): StepResult | undefined {
    return this.#results.get(id);
  }
  /** Absent before the first attempt. */
  input(id: string): object | undefined {
    return this.#inputs.get(id);
  }
  results(): StepResult[] {
    return [...this.#results.values()];
  }

  setInput(id: string, input: object): void {
    this.#resources.redactor.learn(input);
    this.#inputs.set(id, input);
  }

  setOutputs(id: string, outputs: unknown): void {
    this.result(id).outputs = outputs;
    this.#outputs.set(id, outputs);
  }

  setStatus(id: string, status: StepStatus): void {
    this.#statuses.set(id, status);
  }

  /** The error of the first step that failed, in the order of the plan. */
  get failure(): unknown {
    const first = this.results().find(({ id }) => this.failures.has(id));
    return first === undefined ? undefined : this.failures.get(first.id);
  }

  /** The outputs of the pipeline. E_INPUT if one of them has no value. */
  outputs(): unknown {
    const { plan } = this.#resources;
    return plan.outputs === undefined ? undefined : outputsOf(plan, plan.outputs, this.values);
  }

  /**
   * Takes over the steps that the journal records as done, and returns them. If a step's secrets are gone, the step and
   * everything after it run again.
   */
  resumeFrom(): Map<string, StepStatus> {
    const { journal, redactor } = this.#resources;
    const { steps } = journal.history();
    for (const [id, { input }] of steps) {
      const planned = this.#steps.get(id);
      if (planned === undefined) continue;
      const { value } = journal.reveal(input);
      redactor.learn(value);
      // The input of a phase is always an object.
      this.setInput(id, wrapSecrets(planned.phase.input, revealSecrets(value)) as object);
    }
    const done = new Map<string, StepStatus>();
    for (const [id, { status, attempts, durationMs, outputs: recorded, error }] of steps) {
      if (!this.#isDone(id, steps)) continue;
      const outputs = journal.reveal(recorded).value;
      redactor.learn(outputs);
      const result = this.result(id);
      Object.assign(result, { status, attempts, durationMs });
      if (error !== undefined) result.error = JoinError.own(error as OwnError);
      this.setOutputs(id, outputs);
      this.#statuses.set(id, status as StepStatus);
      done.set(id, status as StepStatus);
    }
    return done;
  }

  /** The steps of `finally` always run again, after everything that runs now. */
  #isDone(id: string, steps: History['steps']): boolean {
    const { plan, journal } = this.#resources;
    const [recorded, planned] = [steps.get(id), this.#steps.get(id)];
    if (recorded === undefined || planned === undefined || !endsWell(recorded.status)) return false;
    if (plan.finally?.steps.includes(planned) === true) return false;
    const hasSecrets = journal.reveal(recorded.outputs).missing.length === 0;
    return hasSecrets && planned.needs.every((need) => this.#isDone(need, steps));
  }

  /** From here on, expressions can read how the run ended, and how each of its steps did. */
  startFinally(status: 'succeeded' | 'failed' | 'cancelled', error: unknown): void {
    const code = error === undefined ? undefined : errorRecord(error).code;
    this.values.run = { status: this.isUndone ? 'undone' : status, ...defined({ error: code }) };
    for (const { id } of this.#resources.plan.steps) this.#statuses.set(id, this.result(id).status);
    this.failures.clear();
  }
}

const emptyResult = ({ id, phase }: PlannedStep): StepResult => ({
  id,
  phase: phase.name,
  status: 'skipped',
  attempts: 0,
  durationMs: 0,
  notes: [],
  changes: [],
});

function found<T>(values: ReadonlyMap<string, T>, id: string): T {
  const value = values.get(id);
  if (value === undefined) throw new Error(`no step ${id}`);
  return value;
}
