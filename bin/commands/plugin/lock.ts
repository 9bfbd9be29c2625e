/** `join plugin lock`: pins plugins as they are now. */
import { dirname, resolve } from 'node:path';
import { Args } from '@oclif/core';
import { JoinCommand } from '../../command.ts';
import { openPipeline } from '../../pipelines.ts';

export class PluginLock extends JoinCommand {
  static override summary = 'Pin plugins as they are now: any other is refused from then on';
  static override description = [
    "With a pipeline's file: the plugins that it names, in joinery.lock beside it. Without: all in /etc/joinery/plugins, in",
    '/etc/joinery/joinery.lock. A plugin is pinned by a digest over all its files and those of its dependencies.',
  ].join('\n');
  static override examples = ['<%= config.bin %> plugin lock', '<%= config.bin %> plugin lock ./mine.yaml'];
  static override args = { pipeline: Args.string({ ignoreStdin: true, description: "The pipeline's file" }) };

  async run(): Promise<void> {
    const { args } = await this.parse(PluginLock);
    const { root } = this.config;
    const { lookAt } = await import('../../plugins/look.ts');
    const { writeLock } = await import('../../../engine/plugins/lock.ts');
    const { INSTALLED } = await import('../../../engine/plugins/find.ts');
    const pipeline = args.pipeline === undefined ? undefined : openPipeline(root, args.pipeline);
    const found = await lookAt({ root, ...(pipeline && { pipeline }) });
    const by = pipeline === undefined ? 'machine' : 'pipeline';
    const plugins = found.filter((each) => each.by === by && !each.plugin.isShipped).map(({ plugin }) => plugin);
    const file = await writeLock(
      pipeline === undefined ? dirname(INSTALLED) : resolve(dirname(pipeline.file)),
      plugins,
    );
    for (const { manifest, integrity } of plugins) this.log(`${manifest.name} ${manifest.version}  ${integrity}`);
    this.log(`${file}: ${plugins.length} pinned`);
  }
}
