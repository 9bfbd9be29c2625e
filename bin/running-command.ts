/** Commands that run, resume and undo plans, and report how that ended. */
import { type History, isClosed, isUndone } from '../engine/journal/history.ts';
import type { Journal } from '../engine/journal/journal.ts';
import { RUNS_KEPT, type Salvaged } from '../engine/journal/runs.ts';
import type { Plan } from '../engine/pipeline/plan.ts';
import { undoPlan } from '../engine/run/plan-record.ts';
import { type RunResult, run, undo } from '../engine/run/run.ts';
import { defined, fail, type HostFacts, printable } from '../engine/sdk/index.ts';
import { CHANGES, JoinCommand } from './command.ts';
import type { MachineOptions, MachineSession } from './compose.ts';
import { type OutputFormat, outputOf } from './inputs/raw-flags.ts';
import { confirm, isInteractive } from './inputs/terminal.ts';
import { afterResume, afterRun, type HintText } from './render/continuation.ts';
import { exitCodeOf } from './render/error.ts';
import { resultDocument, undoDocument } from './render/json.ts';
import { resultText } from './render/text.ts';
import {
  foreseenText,
  foreseenUndo,
  undoneText,
  undoPlanDocument,
  undoPlanText,
  undoText,
  unknownText,
} from './render/undo.ts';
import { allowedBy, errorsOf, type IsKnown } from './runs/errors.ts';
import { journalFor } from './runs/start.ts';
import type { OpenTrace } from './runs/trace.ts';
import { watch } from './runs/watch.ts';

export interface DryRunRequest {
  /** The document that `--output json` prints. The text is a plan in any case. */
  document: 'plan' | 'result';
  /** Whether the text includes the content of files. */
  diff: boolean;
  /** `detailed`: 2 if the run would change something. */
  exitCode?: 'plain' | 'detailed';
  /** The file in which the plan is saved. Default: none. */
  out?: string | undefined;
}

export interface RunRequest {
  /** Absent: a real run. */
  dryRun?: DryRunRequest | undefined;
  /** Default: keep a failed run, and ask at a terminal; undo a cancelled one. */
  onFailure: 'undo' | 'keep' | undefined;
  /** Whether the run has a journal (default true), without which it can be neither resumed nor undone. */
  isRecorded?: boolean;
  root: string;
  output: OutputFormat;
  /** The file that receives a trace of a real run (default: none). */
  trace?: string | undefined;
  /** Creates the plan from the facts of the machine. */
  plan(host: HostFacts): Plan;
  /** Throws if the plan must not run. */
  check?(plan: Plan, session: MachineSession): Promise<void>;
}

interface OpenedRun extends Pick<RunRequest, 'onFailure' | 'output'> {
  plan: Plan;
  trace?: OpenTrace | undefined;
  journal?: Journal;
  /** Fits hints to the result (default: for a command that can start the run again). */
  fitHint?: (result: RunResult) => HintText;
}

export interface ResumeRequest extends Pick<RunRequest, 'onFailure' | 'root' | 'output'> {
  /** Run ID, or a unique prefix (default: the last unfinished run). */
  id: string | undefined;
  plan(journal: Journal): Promise<Plan>;
}

export interface UndoRequest {
  root: string;
  output: OutputFormat;
  /** Run ID, or a unique prefix (default: the last run that is not undone). */
  id: string | undefined;
  yes: boolean;
  /** Only list what the undo would do. */
  isDry: boolean;
  overwrite: boolean;
  /** Undo the readable part of a damaged journal. */
  salvage: boolean;
  skip: readonly string[];
}

export abstract class RunningCommand extends JoinCommand {
  /** Runs a plan: progress on standard error, the result on standard output. */
  protected async execute(request: RunRequest): Promise<void> {
    const { dryRun, isRecorded = true, onFailure, root, output, plan } = request;
    await this.#withMachine({ root, dryRun: dryRun !== undefined }, async (session) => {
      const planned = plan(session.host.facts);
      if (dryRun !== undefined) return this.#dryRun(session, planned, { ...dryRun, output });
      await request.check?.(planned, session);
      const trace =
        request.trace === undefined ? undefined : (await import('./runs/trace.ts')).openTrace(request.trace, planned);
      if (!isRecorded) return this.#run(session, { plan: planned, onFailure, output, trace });
      const { journal, isResumed } = await journalFor(planned, session.runs);
      if (isResumed) process.stderr.write(`Resuming run ${journal.id}, which has the same inputs.\n`);
      await this.#run(session, { plan: planned, journal, onFailure, output, trace });
      await prune(session);
    });
  }

  /** Starts this command again, in a process of its own, which also checks the flags. */
  protected async detach(): Promise<void> {
    this.parsed = true; // by the other process
    const { startDetached } = await import('./runs/detach.ts');
    const { pid, started, exitCode } = await startDetached([...(this.id ?? '').split(':'), ...this.argv]);
    process.exitCode = exitCode;
    if (started === undefined) return;
    const output = outputOf(this.argv);
    const text = [
      `Run ${started.run} continues in the background (pid ${pid}).`,
      `To follow it: ${this.hint(`join attach ${started.run}`)}`,
    ];
    this.startReport();
    if (output === 'text') this.show(text.join('\n'));
    else await this.print(started, output);
  }

  protected async resume({ id, onFailure, root, output, plan }: ResumeRequest): Promise<void> {
    await this.#withMachine({ root }, async (session) => {
      const run = await session.runs.find(id, (history) => !isClosed(history), 'resume');
      const journal = await session.runs.open(run);
      const { status } = journal.history();
      if (isClosed(journal.history())) throw fail('E_RUN_CLOSED', { run, status });
      const planned = await plan(journal);
      await journal.resumed(planned.inputs);
      await this.#run(session, { plan: planned, journal, onFailure, output, fitHint: afterResume });
    });
  }

  protected async undo(request: UndoRequest): Promise<void> {
    const { root, isDry } = request;
    await this.#withMachine({ root, dryRun: isDry }, async (session) => {
      const id = await this.#runToUndo(session, request);
      if (!isDry) return this.#undo(session, id, request);
      const history = await session.runs.history(id);
      if (isUndone(history)) throw fail('E_RUN_CLOSED', { run: id, status: history.status });
      await this.app.plugins.loadForRun(history.start, request.skip);
      await this.#rehearseUndo(session, history, request);
    });
  }

  /** Prints what an undo would do, and what it would refuse as the machine is now. Ends like that undo. */
  async #rehearseUndo(session: MachineSession, history: History, request: UndoRequest): Promise<void> {
    const { skip, overwrite, output } = request;
    const { rehearseUndo } = await import('./runs/undo-dry-run.ts');
    const journal = await session.runs.rehearse(history.start.id);
    const plan = undoPlan(journal, this.app.registry, skip, session.host.facts);
    const rehearsed = await rehearseUndo(session, { plan, journal, skip, overwrite, output, hint: this.hint });
    const hasUndo = this.#hasUndo(history, request);
    const foreseen = foreseenUndo(history, rehearsed, hasUndo);
    const texts = [undoPlanText(history, hasUndo), foreseenText(foreseen), 'This was a dry run: nothing was changed.'];
    if (output === 'text') this.show(texts.filter((text) => text !== '').join('\n'));
    else if (output !== 'jsonl') await this.print({ ...undoPlanDocument(history, hasUndo), ...foreseen }, output);
    this.exitWith(rehearsed.result.error);
  }

  #hasUndo({ steps }: History, { skip }: Pick<UndoRequest, 'skip'>): (step: string) => boolean {
    return (step) => !skip.includes(step) && this.app.registry.find(steps.get(step)?.phase ?? '')?.undo !== undefined;
  }

  /** With `--salvage`, the newest run may also be one whose journal is damaged. */
  async #runToUndo({ runs }: MachineSession, { id, salvage }: UndoRequest): Promise<string> {
    const [newest] = id === undefined && salvage ? await runs.ids() : [];
    const isDamaged = newest !== undefined && (await runs.examine(newest)).error !== undefined;
    return isDamaged ? newest : runs.find(id, (history) => !isUndone(history), 'undo');
  }

  async #dryRun(
    session: MachineSession,
    plan: Plan,
    { document, diff, exitCode, out, output }: DryRunRequest & Pick<RunRequest, 'output'>,
  ): Promise<void> {
    const [{ dryRun }, { planDocument, planText }, { hasChanges }] = await Promise.all([
      import('./runs/dry-run.ts'),
      import('./render/plan.ts'),
      import('./render/plan-summary.ts'),
    ]);
    const planned = await dryRun(session, { plan, output, hint: this.hint, isQuiet: this.isQuiet });
    const { result } = planned;
    if (output === 'text') this.show(planText(planned, { diff }));
    else if (output !== 'jsonl') {
      const options = { plan, dryRun: true, hint: this.hint };
      await this.print(document === 'plan' ? planDocument(planned) : resultDocument(result, options), output);
    }
    this.#endRun(result);
    if (out !== undefined && result.error === undefined) {
      await (await import('./runs/saved-plan.ts')).savePlan(out, planned, session);
      process.stderr.write(`${this.hint(`The plan is saved. To run it: join run --plan ${out}`)}\n`);
    }
    if (exitCode === 'detailed' && result.error === undefined && hasChanges(planned)) process.exitCode = CHANGES;
  }

  async #run(session: MachineSession, opened: OpenedRun): Promise<void> {
    const { plan, journal, onFailure, output, trace, fitHint = afterRun } = opened;
    if (journal !== undefined) await session.announce(journal.id);
    const log = journal && (await session.runs.openEvents(journal.id));
    const { result, items } = await watch(
      { output, log, trace, hint: this.hint, isQuiet: this.isQuiet },
      ({ ask, ...watched }) =>
        run({
          plan,
          host: session.host,
          ...(journal === undefined ? {} : { journal }),
          ...watched,
          ...(isInteractive() ? { ask } : {}),
          onFailure: onFailure ?? 'keep',
          onCancel: onFailure ?? 'undo',
        }),
    );
    const hint: HintText = (text) => this.hint(fitHint(result)(text));
    this.startReport();
    if (output === 'text') this.show([resultText(result, plan, hint), ...undoText(items)].join('\n'));
    else if (output !== 'jsonl') await this.print(resultDocument(result, { plan, hint }), output);
    this.#endRun(result, hint, allowedBy(plan));
    const canOffer = result.status === 'failed' && onFailure === undefined && output === 'text' && isInteractive();
    if (result.id === undefined || !canOffer || !(await confirm('Undo the changes of this run?'))) return;
    await this.#undo(session, result.id, { output, yes: true, overwrite: false, salvage: false, skip: [] });
    if (process.exitCode === 0) process.exitCode = exitCodeOf(result.error); // the join has failed
  }

  async #undo(
    session: MachineSession,
    id: string,
    { output, yes, overwrite, salvage, skip }: Omit<UndoRequest, 'id' | 'root' | 'isDry'>,
  ): Promise<void> {
    const opened: Salvaged = salvage ? await session.runs.salvage(id) : { journal: await session.runs.open(id) };
    const { journal, unknown } = opened;
    if (unknown !== undefined) process.stderr.write(`${unknownText(id, unknown)}\n`);
    await session.announce(id);
    const { status } = journal.history();
    if (isUndone(journal.history())) throw fail('E_RUN_CLOSED', { run: id, status });
    await this.app.plugins.loadForRun(journal.history().start, skip);
    const plan = undoPlan(journal, this.app.registry, skip, session.host.facts);
    if (!yes) {
      const history = journal.history();
      process.stderr.write(`${undoPlanText(history, this.#hasUndo(history, { skip }))}\n`);
      if (!isInteractive()) throw fail('E_UNDO_UNCONFIRMED', { run: id });
      if (!(await confirm(`Undo run ${id}?`))) return this.log('Nothing was changed.');
    }
    const { hint } = this;
    const log = await session.runs.openEvents(id);
    const { result, items } = await watch({ output, log, hint, isQuiet: this.isQuiet }, ({ ask: _, ...watched }) =>
      undo({ plan, host: session.host, journal, overwrite, skip, ...watched }),
    );
    this.startReport();
    if (output === 'text') this.show(undoneText(result, items));
    else if (output !== 'jsonl')
      await this.print(undoDocument(result, items, { hint, ...defined({ unknown }) }), output);
    this.#endRun(result, hint, ({ status }) => status === 'undone'); // their errors are those of the run
  }

  async #withMachine(options: MachineOptions, act: (session: MachineSession) => Promise<void>): Promise<void> {
    const session = await this.app.openMachine(options);
    try {
      if (options.dryRun !== true) await session.lock();
      await act(session);
    } finally {
      await session.close();
    }
  }

  /** Prints every error of the run, and sets the exit code. A machine that is not as it was outweighs a failed run. */
  #endRun(result: RunResult, hint: HintText = this.hint, isKnown: IsKnown = () => false): void {
    const { error, undoError } = result;
    for (const each of errorsOf(result, isKnown)) this.printError(each, hint);
    this.exitWith(undoError ?? error);
  }
}

/** If old runs cannot be deleted, the run that has just ended is not affected. */
async function prune({ runs }: MachineSession): Promise<void> {
  await runs.prune(RUNS_KEPT).catch((error: Error) => {
    process.stderr.write(`Warning: old run records were not deleted: ${printable(error.message)}\n`);
  });
}
