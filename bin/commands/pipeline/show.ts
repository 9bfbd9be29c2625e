/** `join pipeline show`: prints a pipeline merged with its environments. */
import { Args } from '@oclif/core';
import { checkPipeline } from '../../../engine/pipeline/check.ts';
import { JoinCommand } from '../../command.ts';
import { envFlag, outputFlag, runFlags } from '../../inputs/common-flags.ts';
import { DEFAULT_PIPELINE } from '../../pipelines.ts';
import { openTrackedWithPlugins } from '../../plugins/open-with-plugins.ts';

export const pipelineArg = Args.string({
  default: DEFAULT_PIPELINE,
  description: `Name or file of the pipeline (default ${DEFAULT_PIPELINE})`,
});

export class PipelineShow extends JoinCommand {
  static override summary = 'Print a pipeline merged with its environments, as this machine would run it';
  static override args = { pipeline: pipelineArg };
  static override flags = { env: envFlag, plugin: runFlags.plugin, root: runFlags.root, output: outputFlag };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PipelineShow);
    const request = { name: args.pipeline, environments: flags.env ?? [], argv: this.argv };
    const tracked = await openTrackedWithPlugins(this.app, request);
    const { host, close } = await this.app.openMachine({ root: flags.root });
    await close();
    const { pipeline, plain } = tracked.resolveFor(host.facts);
    checkPipeline(pipeline, this.app.registry);
    if (flags.output !== 'text') return this.print(plain as object, flags.output);
    const { stringify } = await import('yaml');
    this.log(stringify(plain, { lineWidth: 120 }).trimEnd());
  }
}
