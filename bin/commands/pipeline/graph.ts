/** `join pipeline graph`: draws which steps come after which. */
import { Flags } from '@oclif/core';
import { stepEnvironments } from '../../../engine/environment/explain.ts';
import { checkPipeline } from '../../../engine/pipeline/check.ts';
import { JoinCommand } from '../../command.ts';
import { envFlag, runFlags } from '../../inputs/common-flags.ts';
import { openTrackedWithPlugins } from '../../plugins/open-with-plugins.ts';
import { dotText, graphNodes, mermaidText, treeText } from '../../render/graph.ts';
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
      description: 'Text tree, Mermaid for Markdown, DOT for Graphviz, or an SVG image (default text)',
    })(),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PipelineGraph);
    const request = { name: args.pipeline, environments: flags.env ?? [], argv: this.argv };
    const tracked = await openTrackedWithPlugins(this.app, request);
    const { host, close } = await this.app.openMachine({ root: flags.root });
    await close();
    const { pipeline, tracked: steps, files } = tracked.resolveFor(host.facts);
    const { name } = pipeline.metadata;
    const nodes = graphNodes(pipeline, checkPipeline(pipeline, this.app.registry), stepEnvironments(files, steps));
    if (flags.format === 'svg') {
      const { svgText } = await import('../../render/svg.ts');
      return this.log(svgText(name, nodes).trimEnd());
    }
    const texts = {
      text: () => treeText(name, nodes),
      mermaid: () => mermaidText(nodes),
      dot: () => dotText(name, nodes),
    };
    this.log(texts[flags.format]());
  }
}
