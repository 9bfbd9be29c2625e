/** `join pipeline schema`: prints the schema of pipelines for editors, with the phases installed here. */
import { editorSchema } from '../../../engine/pipeline/editor-schema.ts';
import { JoinCommand } from '../../command.ts';

export class PipelineSchema extends JoinCommand {
  static override summary = 'Print the JSON Schema of pipelines for editors, including the installed phases';
  static override description =
    'For completion and checks, start a pipeline with `# yaml-language-server: $schema=./pipeline.schema.json`.';
  static override examples = ['<%= config.bin %> pipeline schema > pipeline.schema.json'];

  async run(): Promise<void> {
    await this.parse(PipelineSchema);
    this.log(JSON.stringify(editorSchema(this.app.registry.all()), null, 2));
  }
}
