/** `join pipeline list`: what ships. */
import { JoinCommand } from '../../command.ts';
import { runFlags } from '../../inputs/flags.ts';
import { shippedDocuments } from '../../pipelines.ts';
import { tableText } from '../../render/table.ts';

export class PipelineList extends JoinCommand {
  static override summary = 'List the pipelines and environments that ship with Joinery';
  static override flags = { output: runFlags.output };

  async run(): Promise<void> {
    const { flags } = await this.parse(PipelineList);
    const [pipelines, environments] = [
      shippedDocuments(this.config.root, 'pipelines'),
      shippedDocuments(this.config.root, 'environments'),
    ];
    if (flags.output === 'json')
      return this.log(
        JSON.stringify({ apiVersion: 'joinery.dev/v1', kind: 'PipelineList', pipelines, environments }, null, 2),
      );
    const rows = (documents: typeof pipelines, flag: string) =>
      documents.map(({ name, description }) => [`${flag} ${name}`, description]);
    this.log(tableText([['FLAG', 'WHAT IT IS'], ...rows(pipelines, '--pipeline'), ...rows(environments, '--env')]));
  }
}
