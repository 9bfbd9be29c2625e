/** What every command shares: how it is parsed, how it is told, and how it ends. */
import { Command, type Interfaces } from '@oclif/core';
import type { Plan } from '../engine/pipeline/plan.ts';
import { run } from '../engine/run.ts';
import { EXIT, fail, type HostFacts, isJoinError, JoinError } from '../engine/sdk/index.ts';
import { openRun } from './compose.ts';
import { errorText } from './render/error.ts';
import { jsonText, resultDocument } from './render/json.ts';
import { progress } from './render/progress.ts';
import { resultText } from './render/text.ts';

export interface RunRequest {
  dryRun: boolean;
  onFailure: 'undo' | 'keep';
  root: string;
  output: 'text' | 'json';
  /** Makes the plan, once the machine is known. */
  plan(host: HostFacts): Plan;
}

export abstract class JoinCommand extends Command {
  /** Runs a plan and shows it: progress on standard error, the result on standard output, the exit code by family. */
  protected async execute({ dryRun, onFailure, root, output, plan }: RunRequest): Promise<void> {
    const scope = await openRun({ root, dryRun });
    const cancelled = new AbortController();
    const stop = (signal: NodeJS.Signals) => {
      if (cancelled.signal.aborted) process.exit(EXIT.cancelled); // asked twice: now
      cancelled.abort(fail('E_CANCELLED', { signal }));
    };
    process.on('SIGINT', stop).on('SIGTERM', stop);
    try {
      const planned = plan(scope.host.facts);
      const shown = await progress(planned, process.stderr);
      const result = await run({
        plan: planned,
        host: scope.host,
        onEvent: shown.onEvent,
        signal: cancelled.signal,
        onFailure,
      });
      shown.end();
      this.log(
        output === 'json' ? jsonText(resultDocument(result, planned, dryRun)) : resultText(result, planned, dryRun),
      );
      if (result.error !== undefined) this.#tell(result.error);
      process.exitCode = exitCodeOf(result.error);
    } finally {
      process.off('SIGINT', stop).off('SIGTERM', stop);
      await scope.close();
    }
  }

  /** Errors before a run: of the command line, of the pipeline, of the machine. */
  protected override async catch(error: Interfaces.CommandError): Promise<void> {
    const told = error.constructor.name === 'ExitError' ? undefined : asJoinError(error);
    if (told === undefined) throw error;
    if (this.argv.join(' ').includes('--output json') || this.argv.includes('--output=json'))
      this.log(jsonText(resultDocument({ pipeline: '', status: 'failed', durationMs: 0, steps: [], error: told })));
    this.#tell(told);
    process.exitCode = exitCodeOf(told);
  }

  #tell(error: unknown): void {
    process.stderr.write(`${errorText(error, this.config.version)}\n`);
  }
}

const exitCodeOf = (error: unknown): number => {
  if (error === undefined) return 0;
  return isJoinError(error) ? error.exitCode : EXIT.bug;
};

/** oclif's own complaints about flags are usage errors; the rest stays what it is. */
function asJoinError(error: Error): unknown {
  if (isJoinError(error) || !('oclif' in error)) return error;
  return JoinError.own({
    code: 'E_USAGE',
    message: error.message.split('\nSee more help')[0] ?? '',
    hint: 'Add --help to see what the command takes.',
    exitCode: EXIT.usage,
  });
}
