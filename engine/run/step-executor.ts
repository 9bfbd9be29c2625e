/** What an attempt of a step does: it resolves the inputs, hands the phase its ports, and checks the outputs. */
import { violations } from '../documents/validate.ts';
import { subjectOf } from '../host/changes/index.ts';
import { waitText } from '../host/host.ts';
import { type UndoItem, undoChanges } from '../journal/undo.ts';
import type { PlannedStep } from '../pipeline/planned-step.ts';
import { inputOf, shouldRun } from '../pipeline/values.ts';
import { fail, isJoinError, type JoinError } from '../sdk/errors.ts';
import type { RunEvent } from '../sdk/events.ts';
import type { AnyPhase } from '../sdk/phase.ts';
import type { Ports } from '../sdk/ports.ts';
import { wrapSecrets } from '../sdk/schema.ts';
import { revealSecrets } from '../sdk/secret.ts';
import { type ApprovalContext, type Ask, waitForApproval } from './approval.ts';
import { type AttemptContext, withPorts } from './attempt.ts';
import { withStep } from './error-record.ts';
import type { RunRecorder } from './run-recorder.ts';
import type { RunResources, RunState } from './run-state.ts';
import type { AttemptInput } from './step-actor.ts';
import { type Purpose, StepJournal } from './step-journal.ts';

/** The last time that a `Date` can hold. */
const DATE_MS_MAX = 8.64e15;

/** Why a phase is called, and for how long. */
interface PhaseCall extends Pick<AttemptInput, 'signal' | 'limitMs'> {
  purpose: Purpose;
}

/** How the changes to the machine are undone. */
export interface UndoWays {
  /** Also undo changes to paths that have been modified since the run. */
  overwrite: boolean;
  /** Steps whose changes stay if they cannot be undone. */
  skip: readonly string[];
}

export interface StepExecutorOptions {
  resources: RunResources;
  state: RunState;
  recorder: RunRecorder;
  /** Asks at the terminal; absent without a terminal. */
  ask: Ask | undefined;
}

export class StepExecutor {
  readonly #resources: RunResources;
  readonly #state: RunState;
  readonly #recorder: RunRecorder;
  readonly #ask: Ask | undefined;

  constructor({ resources, state, recorder, ask }: StepExecutorOptions) {
    this.#resources = resources;
    this.#state = state;
    this.#recorder = recorder;
    this.#ask = ask;
  }

  /** Whether the condition of a step holds. */
  decide(id: string): 'run' | 'skipped' | 'undecided' {
    const step = this.#state.step(id);
    try {
      const holds = shouldRun(this.#resources.plan, step, this.#state.values);
      if (holds === undefined) return 'undecided';
      return holds ? 'run' : 'skipped';
    } catch (error) {
      throw withStep(this.#resources.redactor.redact(error), id);
    }
  }

  /** One attempt to run a step, or to undo it. */
  async attempt(input: AttemptInput): Promise<'succeeded' | 'undecided' | 'undone'> {
    const { id, direction, signal } = input;
    const step = this.#state.step(id);
    try {
      return await (direction === 'run' ? this.#run(step, input) : this.#undo(step, input));
    } catch (error) {
      throw withStep(this.#resources.redactor.redact(error), id, signal);
    }
  }

  async #run(step: PlannedStep, attempt: AttemptInput): Promise<'succeeded' | 'undecided'> {
    const { plan, journal, redactor } = this.#resources;
    const { id, phase } = step;
    const input = inputOf(plan, step, this.#state.values);
    if (input === undefined) return 'undecided'; // like the outputs that it reads
    this.#state.setInput(id, input);
    journal.begun(id, phase.name, attempt.attempt, redactor.wrapSecrets(input));
    try {
      const outputs = wrapSecrets(phase.output, await this.#outputs(step, input, attempt));
      redactor.learn(outputs); // before an error can quote them
      assertOutputs(phase, outputs);
      const kept = redactor.wrapSecrets(outputs);
      journal.reserveEnd(id, kept);
      this.#state.setOutputs(id, kept);
      return 'succeeded';
    } catch (error) {
      if (!isJoinError(error) || error.code !== 'E_UNDECIDED') throw error;
      this.#recorder.warn(id, error.message);
      return 'undecided';
    }
  }

  #outputs(step: PlannedStep, input: object, attempt: AttemptInput): Promise<unknown> {
    const { id, phase, approval } = step;
    if (approval === undefined)
      return this.#withPorts(step, input, { purpose: 'run', ...attempt }, (ports) => phase.run(ports, input));
    const { message } = input as { message: string };
    return waitForApproval({ step: id, message, ...approval }, this.#approvalContext(attempt));
  }

  #approvalContext({ id, signal, waiting }: AttemptInput): ApprovalContext {
    const { journal, host } = this.#resources;
    return {
      journal,
      host,
      signal,
      waiting,
      ask: this.#ask,
      onQuestion: (question) => this.#recorder.question(question, signal),
      onAnswer: (answer) => void this.#recorder.emit({ type: 'step.answered', step: id, ...answer }),
      log: (text) => this.#recorder.log(id, 'info', text),
    };
  }

  /** The phase undoes what it changed outside the machine. `undoChanges` restores the machine after all steps. */
  async #undo(step: PlannedStep, attempt: AttemptInput): Promise<'undone'> {
    const { id, phase } = step;
    const { journal } = this.#resources;
    const input = this.#state.input(id);
    const changes = journal.changesOf(id);
    if (changes.length === 0) return 'undone';
    await journal.undoing(id);
    if (input !== undefined && phase.undo !== undefined)
      await this.#withPorts(step, input, { purpose: 'undo', ...attempt }, async (ports) =>
        phase.undo?.(ports, input, changes),
      );
    return 'undone';
  }

  /** Undoes the changes that the run made to this machine. Throws if some of them remain. */
  async undoChanges({ overwrite, skip }: UndoWays, signal: AbortSignal): Promise<void> {
    const { journal, host } = this.#resources;
    const remaining: UndoItem[] = [];
    const onItem = (found: UndoItem) => {
      const item = this.#reportUndo(found);
      if (item.outcome === 'refused' || item.outcome === 'failed') remaining.push(item);
    };
    await undoChanges({ journal, host, overwrite, skip, signal, onItem });
    for (const { step } of remaining) this.#recorder.undoFailed(step);
    this.#state.isUndone = remaining.length === 0;
    if (this.#state.isUndone) return;
    this.#state.undoError = undoErrorOf(journal.id, remaining);
    throw this.#state.undoError;
  }

  /** Steps that `undo --skip` omits have changes, but no result. Returns the item without secrets. */
  #reportUndo(found: UndoItem): UndoItem {
    const item = this.#resources.redactor.redact(found);
    this.#recorder.emit({ type: 'step.restored', ...item });
    return item;
  }

  /** Passes an event of the run to the phase of a step that has run. */
  async deliver(id: string, event: RunEvent, signal: AbortSignal): Promise<void> {
    const step = this.#state.step(id);
    const input = this.#state.input(id);
    if (input === undefined) return;
    const call = { purpose: 'event', signal, limitMs: 0 } as const;
    await this.#withPorts(step, input, call, async (ports) => step.phase.onEvent?.(ports, input, event));
  }

  async #withPorts<T>(
    step: PlannedStep,
    input: object,
    call: PhaseCall,
    act: (ports: Ports) => Promise<T>,
  ): Promise<T> {
    return withPorts(this.#attemptContext(step, input, call), act);
  }

  #attemptContext(step: PlannedStep, input: object, call: PhaseCall): AttemptContext {
    const { host, journal, redactor, stream } = this.#resources;
    const { id, phase } = step;
    const { purpose, signal } = call;
    const recorder = this.#recorder;
    const until = this.#endOf(step, call);
    return {
      phase,
      input,
      host,
      signal,
      journal: new StepJournal({ journal, redactor, step: id, purpose }),
      hasSecret: (text) => redactor.hasSecret(text),
      log: (level, text) => recorder.log(id, level, text),
      onChange(change) {
        if (purpose !== 'event') recorder.emit({ type: 'step.change', step: id, change });
      },
      onWait(wait) {
        if (purpose === 'event') return () => undefined;
        const about = wait.kind === 'object' ? wait.about : undefined;
        return recorder.wait({ step: id, what: waitText(wait), until, about, signal });
      },
      onStandIn: () => stream.assume(id),
    };
  }

  /** When the time of the call is up: that of the attempt, or that of the whole step. */
  #endOf({ id, totalMs = Number.POSITIVE_INFINITY }: PlannedStep, { purpose, limitMs }: PhaseCall): Date {
    const attemptEnd = this.#resources.host.now().getTime() + limitMs;
    const stepEnd = purpose === 'run' ? this.#recorder.startedAt(id) + totalMs : Number.POSITIVE_INFINITY;
    return new Date(Math.min(attemptEnd, stepEnd, DATE_MS_MAX));
  }
}

/** A refusal explains the failures that follow from it, such as a directory that is not empty. */
function undoErrorOf(run: string, remaining: readonly UndoItem[]): JoinError {
  const refused = remaining.filter(({ outcome }) => outcome === 'refused');
  if (refused.length > 0) return fail('E_UNDO_REFUSED', { run, steps: stepsOf(remaining) });
  const steps = stepsOf(remaining).map((id) => {
    const { change, why } = remaining.find(({ step }) => step === id) as UndoItem;
    return { id, why: `${subjectOf(change)}: ${why}` };
  });
  return fail('E_UNDO_FAILED', { run, steps });
}

const stepsOf = (items: readonly UndoItem[]): string[] => [...new Set(items.map(({ step }) => step))];

/** E_OUTPUT if the outputs of the phase do not match its schema. */
function assertOutputs(phase: AnyPhase, outputs: unknown): void {
  const problems = violations(phase.output, revealSecrets(outputs)).map(
    ({ path, message }) => `${path.join('.')} ${message}`,
  );
  if (problems.length > 0) throw fail('E_OUTPUT', { phase: phase.name, problems });
}
