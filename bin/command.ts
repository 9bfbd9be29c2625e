/** What every command shares: running, resuming and undoing plans, and how a command ends. */
import { Command, type Interfaces } from '@oclif/core';
import { isClosed } from '../engine/journal/history.ts';
import type { Journal } from '../engine/journal/journal.ts';
import { RUNS_KEPT, type Salvaged } from '../engine/journal/runs.ts';
import type { Plan } from '../engine/pipeline/plan.ts';
import { undoPlan } from '../engine/run/plan-record.ts';
import { type RunResult, run, undo } from '../engine/run/run.ts';
import { openFilesError } from '../engine/sdk/errors.ts';
import { EXIT, fail, type HostFacts, printable } from '../engine/sdk/index.ts';
import type { App, MachineOptions, MachineSession } from './compose.ts';
import { confirm, isInteractive } from './inputs/terminal.ts';
import { errorText, exitCodeOf, withoutTokens, withUsageError } from './render/error.ts';
import { jsonText, resultDocument, undoDocument } from './render/json.ts';
import { resultText } from './render/text.ts';
import { undoneText, undoPlanText, undoText, unknownText } from './render/undo.ts';
import { journalFor } from './runs/start.ts';
import { watch } from './runs/watch.ts';

type Output = 'text' | 'json' | 'jsonl';

/** Exit code of `--detailed-exitcode` for a plan with changes. Errors with this code then end with 1. */
const CHANGES = 2;

export interface DryRunRequest {
  /** The document that `--output json` prints. The text is a plan in any case. */
  document: 'plan' | 'result';
  /** Whether the text includes the content of files. */
  diff: boolean;
  /** `detailed`: 2 if the run would change something. */
  exitCode?: 'plain' | 'detailed';
}

export interface RunRequest {
  /** Absent: a real run. */
  dryRun?: DryRunRequest | undefined;
  /** Default: keep a failed run, and ask at a terminal; undo a cancelled one. */
  onFailure: 'undo' | 'keep' | undefined;
  /** Whether the run has a journal (default true), without which it can be neither resumed nor undone. */
  isRecorded?: boolean;
  root: string;
  output: Output;
  /** Creates the plan from the facts of the machine. */
  plan(host: HostFacts): Plan;
}

type OpenedRun = Pick<RunRequest, 'onFailure' | 'output'> & { plan: Plan; journal?: Journal };

export interface ResumeRequest extends Pick<RunRequest, 'onFailure' | 'root' | 'output'> {
  /** Run ID, or a unique prefix (default: the last unfinished run). */
  id: string | undefined;
  plan(journal: Journal): Promise<Plan>;
}

export interface UndoRequest {
  root: string;
  output: Output;
  /** Run ID, or a unique prefix (default: the last run that is not undone). */
  id: string | undefined;
  yes: boolean;
  overwrite: boolean;
  /** Undo the readable part of a damaged journal. */
  salvage: boolean;
  skip: readonly string[];
}

export abstract class JoinCommand extends Command {
  /** Set by `withApp`. */
  declare protected readonly app: App;
  /** The value of `-v`. */
  protected verbosity = 0;

  /** Runs a plan: progress on standard error, the result on standard output. */
  protected async execute(request: RunRequest): Promise<void> {
    const { dryRun, isRecorded = true, onFailure, root, output, plan } = request;
    await this.#withMachine({ root, dryRun: dryRun !== undefined }, async (session) => {
      const planned = plan(session.host.facts);
      if (dryRun !== undefined) return this.#dryRun(session, planned, { ...dryRun, output });
      if (!isRecorded) return this.#run(session, { plan: planned, onFailure, output });
      const { journal, isResumed } = await journalFor(planned, session.runs);
      if (isResumed) process.stderr.write(`Resuming run ${journal.id}, which has the same inputs.\n`);
      await this.#run(session, { plan: planned, journal, onFailure, output });
      await prune(session);
    });
  }

  /** Starts this command again, in a process of its own. */
  protected async detach(output: Output): Promise<void> {
    const { startDetached } = await import('./runs/detach.ts');
    const { pid, started, exitCode } = await startDetached([
      ...(this.id ?? '').split(':'),
      ...this.argv.filter((word) => word !== '--detach'),
    ]);
    process.exitCode = exitCode;
    if (started === undefined) return;
    const text = [
      `Run ${started.run} continues in the background (pid ${pid}).`,
      `To follow it: join attach ${started.run}`,
    ];
    this.report(output === 'text' ? text.join('\n') : JSON.stringify(started));
  }

  protected async resume({ id, onFailure, root, output, plan }: ResumeRequest): Promise<void> {
    await this.#withMachine({ root }, async (session) => {
      const run = await session.runs.find(id, (history) => !isClosed(history), 'resume');
      const journal = await session.runs.open(run);
      const { status } = journal.history();
      if (isClosed(journal.history())) throw fail('E_RUN_CLOSED', { run, status });
      const planned = await plan(journal);
      await journal.resumed(planned.inputs);
      await this.#run(session, { plan: planned, journal, onFailure, output });
    });
  }

  protected async undo(request: UndoRequest): Promise<void> {
    await this.#withMachine({ root: request.root }, async (session) => {
      const id = await this.#runToUndo(session, request);
      await this.#undo(session, id, request);
    });
  }

  /** With `--salvage`, the newest run may also be one whose journal is damaged. */
  async #runToUndo({ runs }: MachineSession, { id, salvage }: UndoRequest): Promise<string> {
    const [newest] = id === undefined && salvage ? await runs.ids() : [];
    const isDamaged = newest !== undefined && (await runs.examine(newest)).error !== undefined;
    return isDamaged ? newest : runs.find(id, ({ status }) => status !== 'undone', 'undo');
  }

  async #dryRun(
    session: MachineSession,
    plan: Plan,
    { document, diff, exitCode, output }: DryRunRequest & Pick<RunRequest, 'output'>,
  ): Promise<void> {
    const [{ dryRun }, { planDocument, planText }, { hasChanges }] = await Promise.all([
      import('./runs/dry-run.ts'),
      import('./render/plan.ts'),
      import('./render/plan-summary.ts'),
    ]);
    const planned = await dryRun(session, { plan, output });
    const { result } = planned;
    if (output === 'text') this.log(planText(planned, { diff }));
    else if (output === 'json')
      this.log(jsonText(document === 'plan' ? planDocument(planned) : resultDocument(result, { plan, dryRun: true })));
    this.end(result.error);
    if (exitCode === 'detailed' && result.error === undefined && hasChanges(planned)) process.exitCode = CHANGES;
  }

  async #run(session: MachineSession, { plan, journal, onFailure, output }: OpenedRun): Promise<void> {
    if (journal !== undefined) await session.announce(journal.id);
    const log = journal && (await session.runs.openEvents(journal.id));
    const { result, items } = await watch({ output, log }, ({ ask, ...watched }) =>
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
    if (output === 'json') this.report(jsonText(resultDocument(result, { plan })));
    else if (output === 'text') this.report([resultText(result, plan), ...undoText(items)].join('\n'));
    this.end(result.error);
    const canOffer = result.status === 'failed' && onFailure === undefined && output === 'text' && isInteractive();
    if (result.id === undefined || !canOffer || !(await confirm('Undo the changes of this run?'))) return;
    await this.#undo(session, result.id, { output, yes: true, overwrite: false, salvage: false, skip: [] });
    process.exitCode = exitCodeOf(result.error); // the join has failed, even if its undo succeeds
  }

  async #undo(
    session: MachineSession,
    id: string,
    { output, yes, overwrite, salvage, skip }: Omit<UndoRequest, 'id' | 'root'>,
  ): Promise<void> {
    const opened: Salvaged = salvage ? await session.runs.salvage(id) : { journal: await session.runs.open(id) };
    const { journal, unknown } = opened;
    if (unknown !== undefined) process.stderr.write(`${unknownText(id, unknown)}\n`);
    await session.announce(id);
    const { status } = journal.history();
    if (status === 'undone') throw fail('E_RUN_CLOSED', { run: id, status });
    await this.app.plugins.loadForRun(journal.history().start, skip);
    const plan = undoPlan(journal, this.app.registry, skip, session.host.facts);
    if (!yes) {
      process.stderr.write(`${undoPlanText(journal.history())}\n`);
      if (!isInteractive()) throw fail('E_UNDO_UNCONFIRMED', { run: id });
      if (!(await confirm(`Undo run ${id}?`))) return this.log('Nothing was changed.');
    }
    const log = await session.runs.openEvents(id);
    const { result, items } = await watch({ output, log }, ({ ask: _, ...watched }) =>
      undo({ plan, host: session.host, journal, overwrite, ...watched }),
    );
    if (output === 'json') this.report(jsonText(undoDocument(result, items, unknown)));
    else if (output === 'text') this.report(undoneText(result, items));
    this.end(result.error);
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

  /** Handles errors before a run: of the command line, of the pipeline, of the machine. */
  protected override async catch(thrown: Interfaces.CommandError): Promise<void> {
    if (thrown.constructor.name === 'ExitError') throw thrown;
    const error = openFilesError(thrown, undefined) ?? withUsageError(thrown);
    if (this.argv.join(' ').includes('--output json') || this.argv.includes('--output=json')) {
      const result: RunResult = { pipeline: '', status: 'failed', durationMs: 0, steps: [], error };
      this.log(withoutTokens(jsonText(resultDocument(result))));
    }
    this.end(error);
  }

  /** Prints what was done. It stands, and so does the exit code, even if that cannot be printed. */
  protected report(text: string): void {
    this.app.output.isReport = true;
    this.log(text);
  }

  /** Prints the error, if any, and sets the exit code. */
  protected end(error: unknown): void {
    if (error !== undefined) process.stderr.write(`${errorText(error, this.config.version, this.verbosity)}\n`);
    const code = exitCodeOf(error);
    process.exitCode = code === CHANGES && this.argv.includes('--detailed-exitcode') ? EXIT.bug : code;
  }
}

/** If old runs cannot be deleted, the run that has just ended is not affected. */
async function prune({ runs }: MachineSession): Promise<void> {
  await runs.prune(RUNS_KEPT).catch((error: Error) => {
    process.stderr.write(`Warning: old run records were not deleted: ${printable(error.message)}\n`);
  });
}

declare class ConcreteCommand extends JoinCommand {
  override run(): Promise<unknown>;
}

/** oclif instantiates commands itself, so each command gets the application through a subclass. */
export const withApp = (app: App, command: Command.Class): Command.Class =>
  class extends (command as unknown as typeof ConcreteCommand) {
    protected override readonly app = app;
  } as unknown as Command.Class;
