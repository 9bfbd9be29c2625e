/** `join plugin lock`: pins plugins as they are now. */
import { dirname } from 'node:path';
import { Args } from '@oclif/core';
import { fail } from '../../../engine/sdk/index.ts';
import { JoinCommand } from '../../command.ts';
import { envFlag } from '../../inputs/common-flags.ts';
import { DEFAULT_PIPELINE } from '../../pipelines.ts';

export class PluginLock extends JoinCommand {
  static override summary = 'Pin plugins as they are now; Joinery then refuses changed ones';
  static override description = [
    'With the file of a pipeline or an environment, pins the plugins that it names, in joinery.lock beside it.',
    'Without one, pins all plugins in /etc/joinery/plugins, in /etc/joinery/joinery.lock.',
    'A pin is a digest of all files of a plugin and of its dependencies.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> plugin lock',
    '<%= config.bin %> plugin lock ./mine.yaml',
    '<%= config.bin %> plugin lock --env ./acme.yaml',
  ];
  static override args = { pipeline: Args.string({ ignoreStdin: true, description: 'File of a pipeline' }) };
  static override flags = { env: envFlag };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PluginLock);
    const { catalog, assets } = this.app;
    const { inspectPlugins } = await import('../../plugins/inspect.ts');
    const { writeLock } = await import('../../../engine/plugins/lock.ts');
    const { INSTALLED } = await import('../../../engine/plugins/find.ts');
    const isOfMachine = args.pipeline === undefined && flags.env === undefined;
    const pipelineFor = isOfMachine
      ? undefined
      : await catalog.openOverlaid(args.pipeline ?? DEFAULT_PIPELINE, flags.env ?? []);
    const pipeline = pipelineFor?.();
    if (pipeline !== undefined && pipeline.place === undefined)
      throw fail('E_INPUT', { problems: ['PIPELINE must be a file: pipelines that ship with Joinery are not locked'] });
    const by = isOfMachine ? 'machine' : 'pipeline';
    const plugins = (await inspectPlugins(assets, { pipeline }))
      .filter((found) => found.by === by && !found.plugin.isShipped)
      .map(({ plugin }) => plugin);
    const file = await writeLock(pipeline?.place?.folder ?? dirname(INSTALLED), plugins);
    for (const { manifest, integrity } of plugins) this.report(`${manifest.name} ${manifest.version}  ${integrity}`);
    this.report(`${file}: ${plugins.length} pinned`);
  }
}
