/** `join pipeline validate FILE`: everything that is wrong with a pipeline, without running it. */
import { Args } from '@oclif/core';
import { checkPipeline } from '../../../engine/pipeline/check.ts';
import { JoinCommand } from '../../command.ts';
import { registry } from '../../compose.ts';
import { runFlags } from '../../flags.ts';
import { openPipeline } from '../../pipelines.ts';
import { usePlugins } from '../../plugins/wanted.ts';

export class PipelineValidate extends JoinCommand {
  static override summary = 'Check a pipeline without running it';
  static override args = {
    file: Args.string({ required: true, description: 'The file, or the name of a shipped pipeline' }),
  };
  static override flags = { plugin: runFlags.plugin, output: runFlags.output };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PipelineValidate);
    const pipeline = openPipeline(this.config.root, args.file);
    await usePlugins({ root: this.config.root, argv: this.argv, pipeline });
    const steps = checkPipeline(pipeline, registry());
    if (flags.output === 'json')
      this.log(
        JSON.stringify({
          apiVersion: 'joinery.dev/v1',
          kind: 'PipelineValidation',
          file: args.file,
          valid: true,
          steps: steps.map(({ id }) => id),
        }),
      );
    else this.log(`${args.file}: ${steps.length} steps, no problem`);
  }
}
