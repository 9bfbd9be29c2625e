/** `join runs prune`: forgets runs. */
import { Args, Flags } from '@oclif/core';
import { RUNS_KEPT } from '../../../engine/journal/runs.ts';
import { JoinCommand } from '../../command.ts';
import { openRun } from '../../compose.ts';
import { runFlags } from '../../inputs/flags.ts';

export class RunPrune extends JoinCommand {
  static override summary = 'Forget runs: they can neither be undone nor resumed any more';
  static override description =
    'With an id: that run, whatever its state. Without: all but the newest that are over. What they changed stays.';
  static override flags = {
    keep: Flags.integer({ min: 0, default: RUNS_KEPT, description: 'How many of those that are over are kept' }),
    root: runFlags.root,
  };
  static override args = { id: Args.string({ ignoreStdin: true, description: 'Which run' }) };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(RunPrune);
    const scope = await openRun({ root: flags.root });
    try {
      await scope.lock();
      const id = args.id === undefined ? undefined : await scope.runs.find(args.id, () => true, 'forget');
      if (id !== undefined) await scope.runs.remove(id);
      const forgotten = id === undefined ? await scope.runs.prune(flags.keep) : [id];
      this.log(forgotten.length === 0 ? 'Nothing to forget.' : `Forgot ${forgotten.join(', ')}.`);
    } finally {
      await scope.close();
    }
  }
}
