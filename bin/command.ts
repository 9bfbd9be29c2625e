/** What every command shares: how it is parsed, how it is told, and how it ends. */
import { Command, type Interfaces } from '@oclif/core';
import { isClosed } from '../engine/journal/history.ts';
import type { Journal } from '../engine/journal/journal.ts';
import { RUNS_KEPT } from '../engine/journal/runs.ts';
import type { UndoItem } from '../engine/journal/undo.ts';
import type { Plan } from '../engine/pipeline/plan.ts';
import type { Ask } from '../engine/run/approval.ts';
import { undoPlan } from '../engine/run/plan-record.ts';
import { type RunEvent, type RunResult, run, undo } from '../engine/run/run.ts';
import { didYouMean, EXIT, fail, type HostFacts, isJoinError, JoinError } from '../engine/sdk/index.ts';
import { approval, confirmed, isAnybodyThere } from './ask.ts';
import { openRun, type RunScope, registry } from './compose.ts';
import { usePluginsOfRun } from './plugins/discover.ts';
import { errorText, withoutTokens } from './render/error.ts';
import { jsonText, resultDocument, undoDocument } from './render/json.ts';
import { progress } from './render/progress.ts';
import { resultText } from './render/text.ts';
import { undoPlanText, undoText } from './render/undo.ts';
import { journalFor } from './runs.ts';

type Output = 'text' | 'json';

export interface RunRequest {
  dryRun: boolean;
  /** The document of a dry run is its plan, and not its result. */
  asPlan?: boolean;
  /** Left out: a run that fails is kept, and whoever sits there is asked; one that is stopped is undone. */
  onFailure: 'undo' | 'keep' | undefined;
  root: string;
  output: Output;
  /** Makes the plan, once the machine is known. */
  plan(host: HostFacts): Plan;
}

export interface UndoRequest {
  root: string;
  output: Output;
  /** As much of its id as is unlike the others; left out, the last run that is not undone. */
  id: string | undefined;
  yes: boolean;
  overwrite: boolean;
  skip: readonly string[];
}

export abstract class JoinCommand extends Command {
  /** As `-v` has it. */
  protected verbosity = 0;

  /** Runs a plan and shows it: progress on standard error, the result on standard output, the exit code by family. */
  protected async execute({ dryRun, asPlan = false, onFailure, root, output, plan }: RunRequest): Promise<void> {
    await this.#opened(root, dryRun, async (scope) => {
      const planned = plan(scope.host.facts);
      if (dryRun) return this.#dryRun(scope, planned, asPlan, output);
      const { journal, goesOn } = await journalFor(planned, scope.runs);
      if (goesOn) process.stderr.write(`Going on with run ${journal.id}, which these inputs have begun.\n`);
      await this.#run(scope, { planned, journal, onFailure, output });
      await scope.runs.prune(RUNS_KEPT);
    });
  }

  /** Goes on with a run of this machine. */
  protected async resume(
    request: Pick<RunRequest, 'onFailure' | 'root' | 'output'> & { id: string | undefined },
    plan: (journal: Journal) => Promise<Plan>,
  ): Promise<void> {
    const { id, onFailure, root, output } = request;
    await this.#opened(root, false, async (scope) => {
      const found = await scope.runs.find(id, (history) => !isClosed(history), 'resume');
      const journal = await scope.runs.open(found);
      const { status } = journal.history();
      if (isClosed(journal.history())) throw fail('E_RUN_CLOSED', { run: found, status });
      const planned = await plan(journal);
      await journal.resumed(planned.inputs);
      await this.#run(scope, { planned, journal, onFailure, output });
    });
  }

  /** Takes a run of this machine back. */
  protected async undo(request: UndoRequest): Promise<void> {
    await this.#opened(request.root, false, async (scope) => {
      const found = await scope.runs.find(request.id, ({ status }) => status !== 'undone', 'undo');
      await this.#undo(scope, found, request);
    });
  }

  /** Runs it on a host that records, and shows what was recorded. */
  async #dryRun(scope: RunScope, plan: Plan, asPlan: boolean, output: Output): Promise<void> {
    const waits = new Map<string, string[]>();
    const result = await this.#watched(plan, [], (shown, signal, keepSignal) => {
      const onEvent = (event: RunEvent) => {
        if (event.type === 'step.wait') waits.set(event.id, [...(waits.get(event.id) ?? []), event.what]);
        shown(event);
      };
      return run({ ...{ plan, host: scope.host, onEvent, signal, keepSignal }, onFailure: 'keep', onCancel: 'undo' });
    });
    if (output === 'json' && !asPlan) this.log(jsonText(resultDocument(result, plan, true)));
    else {
      const { planDocument, plannedChanges, planText } = await import('./render/plan.ts');
      const planned = { result, plan, waits, changes: await plannedChanges(result, scope.machine) };
      this.log(output === 'json' ? jsonText(planDocument(planned)) : planText(planned));
    }
    this.#end(result.error);
  }

  async #run(
    scope: RunScope,
    request: Pick<RunRequest, 'onFailure' | 'output'> & { planned: Plan; journal: Journal },
  ): Promise<void> {
    const { planned, journal, onFailure, output } = request;
    const restored: UndoItem[] = [];
    const result = await this.#watched(planned, restored, (onEvent, signal, keepSignal, pause) =>
      run({
        ...{ plan: planned, host: scope.host, onEvent, signal, keepSignal },
        ...(isAnybodyThere() ? { ask: asking(pause) } : {}),
        journal,
        onFailure: onFailure ?? 'keep',
        onCancel: onFailure ?? 'undo',
      }),
    );
    this.log(
      output === 'json'
        ? jsonText(resultDocument(result, planned))
        : [resultText(result, planned), ...undoText(restored)].join('\n'),
    );
    this.#end(result.error);
    const isOffered = result.status === 'failed' && onFailure === undefined && output === 'text';
    if (result.id === undefined || !isOffered || !isAnybodyThere()) return;
    if (!(await confirmed('Undo what it has changed?'))) return;
    const given = { root: '', output, id: result.id, yes: true, overwrite: false, skip: [] };
    await this.#undo(scope, result.id, given);
    process.exitCode = exitCodeOf(result.error); // the join has failed all the same
  }

  async #undo(scope: RunScope, id: string, { output, yes, overwrite, skip }: UndoRequest): Promise<void> {
    const journal = await scope.runs.open(id);
    const { status } = journal.history();
    if (status === 'undone') throw fail('E_RUN_CLOSED', { run: id, status });
    await usePluginsOfRun(journal.history().start, skip);
    const plan = undoPlan(journal, registry(), skip, scope.host.facts);
    if (!yes) {
      process.stderr.write(`${undoPlanText(journal.history())}\n`);
      if (!isAnybodyThere()) throw fail('E_UNDO_UNCONFIRMED', { run: id });
      if (!(await confirmed(`Undo run ${id}?`))) return this.log('Nothing was done.');
    }
    const restored: UndoItem[] = [];
    const result = await this.#watched(plan, restored, (onEvent, signal, keepSignal) =>
      undo({ plan, host: scope.host, journal, onEvent, signal, keepSignal, overwrite }),
    );
    const told =
      output === 'json'
        ? jsonText(undoDocument(result, restored))
        : [outcomeOf(result), ...undoText(restored)].join('\n');
    this.log(told);
    this.#end(result.error);
  }

  /** With its progress shown, and stopped by the signals that stop a process: the first stops it, the second leaves it as it is. */
  async #watched(
    plan: Plan,
    restored: UndoItem[],
    act: (
      onEvent: (event: RunEvent) => void,
      signal: AbortSignal,
      keepSignal: AbortSignal,
      pause: () => () => void,
    ) => Promise<RunResult>,
  ): Promise<RunResult> {
    const [cancelled, kept] = [new AbortController(), new AbortController()];
    const stop = (signal: NodeJS.Signals) => {
      if (kept.signal.aborted) process.exit(EXIT.cancelled); // asked three times: now
      (cancelled.signal.aborted ? kept : cancelled).abort(fail('E_CANCELLED', { signal }));
    };
    process.on('SIGINT', stop).on('SIGTERM', stop);
    try {
      const shown = await progress(plan, process.stderr);
      const onEvent = (event: RunEvent) => {
        if (event.type === 'step.restored') restored.push(event.item);
        shown.onEvent(event);
      };
      const result = await act(onEvent, cancelled.signal, kept.signal, () => shown.pause());
      shown.end();
      return result;
    } finally {
      process.off('SIGINT', stop).off('SIGTERM', stop);
    }
  }

  async #opened(root: string, dryRun: boolean, act: (scope: RunScope) => Promise<void>): Promise<void> {
    const scope = await openRun({ root, dryRun });
    try {
      if (!dryRun) await scope.lock();
      await act(scope);
    } finally {
      await scope.close();
    }
  }

  /** Errors before a run: of the command line, of the pipeline, of the machine. */
  protected override async catch(error: Interfaces.CommandError): Promise<void> {
    const told = error.constructor.name === 'ExitError' ? undefined : asJoinError(error);
    if (told === undefined) throw error;
    if (this.argv.join(' ').includes('--output json') || this.argv.includes('--output=json'))
      this.log(
        withoutTokens(
          jsonText(resultDocument({ pipeline: '', status: 'failed', durationMs: 0, steps: [], error: told })),
        ),
      );
    this.#end(told);
  }

  /** The error, if any, as the last words, and the exit code. */
  #end(error: unknown): void {
    if (error !== undefined) process.stderr.write(`${errorText(error, this.config.version, this.verbosity)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

/** One question after the other, and no progress drawn over it. */
function asking(pause: () => () => void): Ask {
  let last: Promise<unknown> = Promise.resolve();
  return (question, signal) => {
    const next = last.then(async () => {
      signal.throwIfAborted();
      const resume = pause();
      return approval(question, signal).finally(resume);
    });
    last = next.catch(() => undefined);
    return next;
  };
}

const outcomeOf = ({ id, status }: RunResult): string =>
  status === 'succeeded' ? `Run ${id} is undone.` : `Run ${id} is undone in part.`;

const exitCodeOf = (error: unknown): number => {
  if (error === undefined) return 0;
  return isJoinError(error) ? error.exitCode : EXIT.bug;
};

/** oclif's own complaints about flags are usage errors; the rest stays what it is. */
function asJoinError(error: Error): unknown {
  if (isJoinError(error) || !('oclif' in error)) return error;
  return JoinError.own({
    code: 'E_USAGE',
    message: complaint(error),
    hint: 'Add --help to see what the command takes.',
    exitCode: EXIT.usage,
  });
}

function complaint(error: Error & { flags?: unknown; parse?: { input?: { flags?: object } } }): string {
  const known = Object.keys(error.parse?.input?.flags ?? {}).map((name) => `--${name}`);
  if (Array.isArray(error.flags))
    return error.flags.map((flag) => `there is no flag ${flag}${didYouMean(String(flag), known)}`).join('\n');
  const [words = ''] = error.message.split('\nSee more help');
  return words.replace(/^Parsing (--\S+)\s+/, '$1: ');
}
