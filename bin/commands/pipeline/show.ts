/** `join pipeline show`: a pipeline as it is with its environments laid over it. */
import { Args } from '@oclif/core';
import { checkPipeline } from '../../../engine/pipeline/check.ts';
import { JoinCommand } from '../../command.ts';
import { openRun, registry } from '../../compose.ts';
import { envFlag, runFlags } from '../../inputs/flags.ts';
import { DEFAULT_PIPELINE, openTracked } from '../../pipelines.ts';
import { usePlugins } from '../../plugins/discover.ts';
import { jsonText } from '../../render/json.ts';

export const pipelineArg = Args.string({
  default: DEFAULT_PIPELINE,
  description: 'The file, or the name of a shipped pipeline',
});

export class PipelineShow extends JoinCommand {
  static override summary = 'Show a pipeline with its environments laid over it, as this machine would run it';
  static override args = { pipeline: pipelineArg };
  static override flags = { env: envFlag, plugin: runFlags.plugin, root: runFlags.root, output: runFlags.output };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PipelineShow);
    const [opened, scope] = await Promise.all([
      openTracked(this.config.root, args.pipeline, flags.env ?? []),
      openRun({ root: flags.root }),
    ]);
    await scope.close();
    const { pipeline, plain } = opened.resolveFor(scope.host.facts);
    await usePlugins({ root: this.config.root, argv: this.argv, pipeline });
    checkPipeline(pipeline, registry());
    if (flags.output === 'json') return this.log(jsonText(plain as object));
    const { stringify } = await import('yaml');
    this.log(stringify(plain, { lineWidth: 120 }).trimEnd());
  }
}
