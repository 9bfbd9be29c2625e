/** `join runs prune`: deletes run records. */
import { Args, Flags } from '@oclif/core';
import { RUNS_KEPT } from '../../../engine/journal/runs.ts';
import { JoinCommand } from '../../command.ts';
import { runFlags } from '../../inputs/common-flags.ts';

export class RunPrune extends JoinCommand {
  static override summary = 'Delete run records; deleted runs cannot be resumed or undone';
  static override description =
    'With an ID, deletes that run, whatever its state. Without one, deletes old finished runs. Their changes stay.';
  static override flags = {
    keep: Flags.integer({
      min: 0,
      default: RUNS_KEPT,
      description: `Number of finished runs to keep (default ${RUNS_KEPT})`,
    }),
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
      if (id !== undefined) await runs.remove(id);
      const deleted = id === undefined ? await runs.prune(flags.keep) : [id];
      this.report(deleted.length === 0 ? 'No run was deleted.' : `Deleted ${deleted.join(', ')}.`);
    } finally {
      await close();
    }
  }
}
