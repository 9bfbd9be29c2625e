/** `join plugin lock`: pins plugins as they are now. */
import { dirname } from 'node:path';
import { Args } from '@oclif/core';
import { fail } from '../../../engine/sdk/index.ts';
import { JoinCommand } from '../../command.ts';
import { envFlag } from '../../inputs/flags.ts';
import { DEFAULT_PIPELINE, openLayered } from '../../pipelines.ts';

export class PluginLock extends JoinCommand {
  static override summary = 'Pin plugins as they are now: any other is refused from then on';
  static override description = [
    "With a pipeline's or an environment's file: the plugins that it names, in joinery.lock beside it. Without: all in",
    '/etc/joinery/plugins, in /etc/joinery/joinery.lock. What is pinned is a digest over all files of a plugin and of what it',
    'depends on.',
  ].join('\n');
  static override examples = [
    '<%= config.bin %> plugin lock',
    '<%= config.bin %> plugin lock ./mine.yaml',
    '<%= config.bin %> plugin lock --env ./acme.yaml',
  ];
  static override args = { pipeline: Args.string({ ignoreStdin: true, description: "The pipeline's file" }) };
  static override flags = { env: envFlag };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PluginLock);
    const { root } = this.config;
    const { lookAt } = await import('../../plugins/inspect.ts');
    const { writeLock } = await import('../../../engine/plugins/lock.ts');
    const { INSTALLED } = await import('../../../engine/plugins/find.ts');
    const isOfMachine = args.pipeline === undefined && flags.env === undefined;
    const opened = isOfMachine
      ? undefined
      : await openLayered(root, args.pipeline ?? DEFAULT_PIPELINE, flags.env ?? []);
    const pipeline = opened?.();
    if (pipeline !== undefined && pipeline.place === undefined)
      throw fail('E_INPUT', { problems: ['PIPELINE: give a file; what ships with Joinery is not locked'] });
    const found = await lookAt({ root, ...(pipeline && { pipeline }) });
    const by = isOfMachine ? 'machine' : 'pipeline';
    const plugins = found.filter((each) => each.by === by && !each.plugin.isShipped).map(({ plugin }) => plugin);
    const file = await writeLock(pipeline?.place?.folder ?? dirname(INSTALLED), plugins);
    for (const { manifest, integrity } of plugins) this.log(`${manifest.name} ${manifest.version}  ${integrity}`);
    this.log(`${file}: ${plugins.length} pinned`);
  }
}
