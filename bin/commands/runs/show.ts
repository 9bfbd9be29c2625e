/** `join runs show`: shows one run, step by step. */
import { Args } from '@oclif/core';
import { isClosed } from '../../../engine/journal/history.ts';
import { JoinCommand } from '../../command.ts';
import { runFlags } from '../../inputs/common-flags.ts';
import { jsonText } from '../../render/json.ts';
import { runDetailsDocument, runText } from '../../render/runs.ts';

export class RunShow extends JoinCommand {
  static override summary = 'Show the steps, changes and errors of a run';
  static override flags = { root: runFlags.root, output: runFlags.output };
  static override args = {
    id: Args.string({ ignoreStdin: true, description: 'Run ID, or a unique prefix (default: the last run)' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(RunShow);
    const { runs, holder: holderOf, close } = await this.app.openMachine({ root: flags.root });
    try {
      const history = await runs.history(await runs.find(args.id, () => true, 'show'));
      const holder = isClosed(history) ? undefined : await holderOf();
      if (flags.output === 'text') return this.log(runText(history, holder, this.hint));
      this.log(
        jsonText({ apiVersion: 'joinery.dev/v1', kind: 'Run', ...runDetailsDocument(history, holder, this.hint) }),
      );
    } finally {
      await close();
    }
  }
}
