/** `join runs`: lists the runs on this machine. */
import { isClosed } from '../../../engine/journal/history.ts';
import { type ExaminedRun, RUNS_KEPT } from '../../../engine/journal/runs.ts';
import { JoinCommand } from '../../command.ts';
import { outputFlag, runFlags } from '../../inputs/common-flags.ts';
import { examinedDocument, runsText } from '../../render/runs.ts';
import { widthOf } from '../../render/table.ts';

export class RunList extends JoinCommand {
  static override summary = 'List the runs recorded on this machine, newest first';
  static override description =
    `A run is recorded from its first change on. The ${RUNS_KEPT} newest finished runs are kept.`;
  static override flags = { root: runFlags.root, output: outputFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(RunList);
    const { runs, holder: holderOf, close } = await this.app.openMachine({ root: flags.root });
    try {
      const examined: ExaminedRun[] = [];
      for (const id of await runs.ids()) examined.push(await runs.examine(id));
      const isAnyOpen = examined.some(({ history }) => history !== undefined && !isClosed(history));
      const holder = isAnyOpen ? await holderOf() : undefined;
      if (flags.output === 'text') return this.show(runsText(examined, holder, this.hint, widthOf(process.stdout)));
      const documents = examined.map((run) => examinedDocument(run, holder, this.hint));
      await this.print({ apiVersion: 'joinery.dev/v1', kind: 'RunList', runs: documents }, flags.output);
    } finally {
      await close();
    }
  }
}
