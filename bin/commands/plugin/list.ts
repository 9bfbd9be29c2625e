/** `join plugin list`: lists plugins, what they add, and whether they are pinned. */
import { Args } from '@oclif/core';
import type { Lock } from '../../../engine/plugins/lock.ts';
import { JoinCommand } from '../../command.ts';
import { envFlag, outputFlag, runFlags } from '../../inputs/common-flags.ts';
import { DEFAULT_PIPELINE } from '../../pipelines.ts';
import type { FoundPlugin } from '../../plugins/inspect.ts';
import { tableText, widthOf } from '../../render/table.ts';

export class PluginList extends JoinCommand {
  static override summary = 'List the plugins of this machine, and of a pipeline';
  static override description = 'Reads manifests and compares files with joinery.lock; runs no code of a plugin.';
  static override args = {
    pipeline: Args.string({ ignoreStdin: true, description: 'Name or file of a pipeline' }),
  };
  static override flags = { env: envFlag, plugin: runFlags.plugin, output: outputFlag };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PluginList);
    const { catalog, assets } = this.app;
    const { inspectPlugins } = await import('../../plugins/inspect.ts');
    const { locksFor } = await import('../../plugins/load.ts');
    const isOfMachine = args.pipeline === undefined && flags.env === undefined;
    const pipelineFor = isOfMachine
      ? undefined
      : await catalog.openOverlaid(args.pipeline ?? DEFAULT_PIPELINE, flags.env ?? []);
    const pipeline = pipelineFor?.();
    const locks = locksFor(pipeline?.place);
    const plugins = (await inspectPlugins(assets, { argv: this.argv, pipeline })).map((found) =>
      pluginDocument(found, locks),
    );
    if (flags.output !== 'text')
      return this.print({ apiVersion: 'joinery.dev/v1', kind: 'PluginList', plugins }, flags.output);
    if (plugins.length === 0) return this.log(this.hint('There are no plugins. To create one: join plugin new NAME'));
    const rows = plugins.map(({ name, version, pinned, phases, folder }) => [
      name,
      version,
      pinned,
      phases.join(','),
      folder,
    ]);
    this.log(tableText([['PLUGIN', 'VERSION', 'LOCK', 'PHASES', 'FOLDER'], ...rows], widthOf(process.stdout)));
  }
}

function pluginDocument({ by, plugin }: FoundPlugin, locks: readonly Lock[]) {
  const { folder, manifest, integrity } = plugin;
  const { name, version, phases, featureGates, environments, pipelines, effects } = manifest;
  return {
    name,
    version,
    folder,
    by,
    pinned: pinState(plugin, locks),
    integrity,
    phases,
    featureGates,
    effects,
    environments: Object.keys(environments),
    pipelines: Object.keys(pipelines),
  };
}

function pinState({ manifest, integrity, isShipped }: FoundPlugin['plugin'], locks: readonly Lock[]): string {
  if (isShipped) return 'shipped';
  const { name } = manifest;
  const pins = locks.flatMap(({ plugins }) => (Object.hasOwn(plugins, name) ? [plugins[name]] : []));
  if (pins.length === 0) return 'not pinned';
  return pins.every((pin) => pin?.integrity === integrity) ? 'pinned' : 'changed';
}
