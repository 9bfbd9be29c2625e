/** `join runs prune`: deletes run records. */
import { Args, Flags } from '@oclif/core';
import { isClosed } from '../../../engine/journal/history.ts';
import { type ExaminedRun, RUNS_KEPT } from '../../../engine/journal/runs.ts';
import { fail } from '../../../engine/sdk/index.ts';
import { JoinCommand } from '../../command.ts';
import { runFlags } from '../../inputs/common-flags.ts';
import { confirm, isInteractive } from '../../inputs/terminal.ts';

export class RunPrune extends JoinCommand {
  static override summary = 'Delete run records; deleted runs cannot be resumed or undone';
  static override description =
    'With an ID, deletes that run, and asks if it is unfinished. Without one, deletes old finished runs. ' +
    'Their changes stay.';
  static override flags = {
    keep: Flags.integer({
      min: 0,
      default: RUNS_KEPT,
      description: `Number of finished runs to keep (default ${RUNS_KEPT})`,
    }),
    yes: Flags.boolean({ char: 'y', description: 'Do not ask for confirmation' }),
    root: runFlags.root,
  };
  static override args = {
    id: Args.string({ ignoreStdin: true, description: 'Run ID, or a unique prefix' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(RunPrune);
    const { runs, lock, close } = await this.app.openMachine({ root: flags.root });
    try {
      await lock();
      const id = args.id === undefined ? undefined : await runs.find(args.id, () => true, 'delete');
      if (id !== undefined && !flags.yes && !(await isConfirmed(await runs.examine(id))))
        return this.log('No run was deleted.');
      if (id !== undefined) await runs.remove(id);
      const deleted = id === undefined ? await runs.prune(flags.keep) : [id];
      this.report(deleted.length === 0 ? 'No run was deleted.' : `Deleted ${deleted.join(', ')}.`);
    } finally {
      await close();
    }
  }
}

/** A run that is over is deleted without a question. E_PRUNE_UNCONFIRMED. */
async function isConfirmed({ id, history, error }: ExaminedRun): Promise<boolean> {
  if (history !== undefined && error === undefined && isClosed(history)) return true;
  const status = error === undefined ? 'unfinished' : 'unreadable';
  if (!isInteractive()) throw fail('E_PRUNE_UNCONFIRMED', { run: id, status });
  return confirm(`Run ${id} is ${status}. Without its record, nothing can undo its changes. Delete it?`);
}
