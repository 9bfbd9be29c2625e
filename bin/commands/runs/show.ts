/** `join runs show`: one run, step by step. */
import { Args } from '@oclif/core';
import { JoinCommand } from '../../command.ts';
import { openRun } from '../../compose.ts';
import { runFlags } from '../../inputs/flags.ts';
import { jsonText } from '../../render/json.ts';
import { runDocument, runText } from '../../render/runs.ts';

export class RunShow extends JoinCommand {
  static override summary = 'Show the steps, changes and errors of a run';
  static override flags = { root: runFlags.root, output: runFlags.output };
  static override args = { id: Args.string({ ignoreStdin: true, description: 'Which run; left out: the last one' }) };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(RunShow);
    const scope = await openRun({ root: flags.root });
    try {
      const history = await scope.runs.history(await scope.runs.find(args.id, () => true, 'show'));
      const run = runDocument(history, true);
      this.log(
        flags.output === 'json' ? jsonText({ apiVersion: 'joinery.dev/v1', kind: 'Run', ...run }) : runText(history),
      );
    } finally {
      await scope.close();
    }
  }
}
