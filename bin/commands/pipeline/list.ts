/** `join pipeline list`: lists the pipelines and environments that ship with Joinery. */
import { JoinCommand } from '../../command.ts';
import { outputFlag } from '../../inputs/common-flags.ts';
import { tableText, widthOf } from '../../render/table.ts';

export class PipelineList extends JoinCommand {
  static override summary = 'List the pipelines and environments that ship with Joinery';
  static override flags = { output: outputFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(PipelineList);
    const { catalog } = this.app;
    const [pipelines, environments] = [catalog.descriptions('pipelines'), catalog.descriptions('environments')];
    if (flags.output !== 'text') {
      const document = { apiVersion: 'joinery.dev/v1', kind: 'PipelineList', pipelines, environments };
      return this.print(document, flags.output);
    }
    const rows = (documents: typeof pipelines, flag: string) =>
      documents.map(({ name, description }) => [`${flag} ${name}`, description]);
    const all = [...rows(pipelines, '--pipeline'), ...rows(environments, '--env')];
    this.log(tableText([['FLAG', 'DESCRIPTION'], ...all], widthOf(process.stdout)));
  }
}
