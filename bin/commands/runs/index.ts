/** `join runs`: what was run on this machine. */
import type { History } from '../../../engine/journal/history.ts';
import { JoinCommand } from '../../command.ts';
import { openRun } from '../../compose.ts';
import { runFlags } from '../../inputs/flags.ts';
import { jsonText } from '../../render/json.ts';
import { runDocument, runsText } from '../../render/runs.ts';

export class RunList extends JoinCommand {
  static override summary = 'List the runs that are remembered on this machine, the newest first';
  static override description = 'A run is remembered from its first change on, until 20 newer ones are over.';
  static override flags = { root: runFlags.root, output: runFlags.output };

  async run(): Promise<void> {
    const { flags } = await this.parse(RunList);
    const scope = await openRun({ root: flags.root });
    try {
      const histories: History[] = [];
      for (const id of await scope.runs.ids()) histories.push(await scope.runs.history(id));
      if (flags.output === 'json') {
        const runs = histories.map((history) => runDocument(history, false));
        this.log(jsonText({ apiVersion: 'joinery.dev/v1', kind: 'RunList', runs }));
      } else this.log(runsText(histories));
    } finally {
      await scope.close();
    }
  }
}
