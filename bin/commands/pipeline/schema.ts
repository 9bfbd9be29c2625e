/** `join pipeline schema`: the schema of pipelines for editors, with the phases that are installed here. */
import { editorSchema } from '../../../engine/pipeline/editor-schema.ts';
import { JoinCommand } from '../../command.ts';
import { registry } from '../../compose.ts';

export class PipelineSchema extends JoinCommand {
  static override summary = 'Print the JSON Schema of pipelines, with the phases that are installed, for editors';
  static override description =
    'A first line of # yaml-language-server: $schema=./pipeline.schema.json makes an editor complete and check a pipeline.';
  static override examples = ['<%= config.bin %> pipeline schema > pipeline.schema.json'];

  async run(): Promise<void> {
    await this.parse(PipelineSchema);
    this.log(JSON.stringify(editorSchema(registry().all()), null, 2));
  }
}
