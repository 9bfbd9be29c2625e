/** `join pipeline graph`: which steps come after which. */
import { Flags } from '@oclif/core';
import { checkPipeline } from '../../../engine/pipeline/check.ts';
import { JoinCommand } from '../../command.ts';
import { openRun, registry } from '../../compose.ts';
import { envFlag, runFlags } from '../../inputs/flags.ts';
import { openTracked } from '../../pipelines.ts';
import { usePlugins } from '../../plugins/discover.ts';
import { dotText, drawn, mermaidText, treeText } from '../../render/graph.ts';
import { pipelineArg } from './show.ts';

export class PipelineGraph extends JoinCommand {
  static override summary = 'Draw the order of the steps of a pipeline';
  static override examples = ['<%= config.bin %> pipeline graph --env ./site.yaml --format svg > site.svg'];
  static override args = { pipeline: pipelineArg };
  static override flags = {
    env: envFlag,
    plugin: runFlags.plugin,
    root: runFlags.root,
    format: Flags.option({
      options: ['text', 'mermaid', 'dot', 'svg'] as const,
      default: 'text',
      description: 'A tree of text, Mermaid for Markdown, DOT for Graphviz, or a picture',
    })(),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PipelineGraph);
    const opened = await openTracked(this.config.root, args.pipeline, flags.env ?? []);
    const scope = await openRun({ root: flags.root });
    await scope.close();
    const { pipeline } = opened.resolveFor(scope.host.facts);
    await usePlugins({ root: this.config.root, argv: this.argv, pipeline });
    const { name } = pipeline.metadata;
    const steps = drawn(pipeline, checkPipeline(pipeline, registry()));
    if (flags.format === 'svg') {
      const { svgText } = await import('../../render/svg.ts');
      return this.log(svgText(name, steps).trimEnd());
    }
    const texts = {
      text: () => treeText(name, steps),
      mermaid: () => mermaidText(steps),
      dot: () => dotText(name, steps),
    };
    this.log(texts[flags.format]());
  }
}
