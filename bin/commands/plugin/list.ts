/** `join plugin list`: which plugins there are, what they add, and whether they are pinned. */
import { Args } from '@oclif/core';
import { JoinCommand } from '../../command.ts';
import { envFlag, runFlags } from '../../inputs/flags.ts';
import { DEFAULT_PIPELINE, openLayered } from '../../pipelines.ts';
import { tableText } from '../../render/table.ts';

export class PluginList extends JoinCommand {
  static override summary = 'List the plugins of this machine, and of a pipeline';
  static override description =
    'Their manifests are read and their files compared with joinery.lock; none of their code is run.';
  static override args = {
    pipeline: Args.string({ ignoreStdin: true, description: "A pipeline's file, or its name" }),
  };
  static override flags = { env: envFlag, plugin: runFlags.plugin, output: runFlags.output };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PluginList);
    const { root } = this.config;
    const { lookAt } = await import('../../plugins/inspect.ts');
    const { locksFor } = await import('../../plugins/load.ts');
    const isOfPipeline = args.pipeline !== undefined || flags.env !== undefined;
    const opened = isOfPipeline
      ? await openLayered(root, args.pipeline ?? DEFAULT_PIPELINE, flags.env ?? [])
      : undefined;
    const pipeline = opened?.();
    const found = await lookAt({ root, argv: this.argv, ...(pipeline && { pipeline }) });
    const locks = locksFor(pipeline?.place);
    const told = found.map(({ by, plugin: { folder, manifest, integrity, isShipped } }) => {
      const { name, version, phases, featureGates, environments, pipelines, effects } = manifest;
      const pins = locks.flatMap(({ plugins }) => (Object.hasOwn(plugins, name) ? [plugins[name]] : []));
      const isPinned = pins.length > 0 && pins.every((pin) => pin?.integrity === integrity);
      const pinned = isShipped ? 'shipped' : isPinned ? 'pinned' : pins.length > 0 ? 'changed' : 'not pinned';
      return {
        ...{ name, version, folder, by, pinned, integrity, phases, featureGates, effects },
        ...{ environments: Object.keys(environments), pipelines: Object.keys(pipelines) },
      };
    });
    if (flags.output === 'json')
      return this.log(JSON.stringify({ apiVersion: 'joinery.dev/v1', kind: 'PluginList', plugins: told }, null, 2));
    if (told.length === 0) return this.log('There are none: see join plugin new, and docs/writing-a-phase.md.');
    const rows = told.map(({ name, version, pinned, phases, folder }) => [
      name,
      version,
      pinned,
      phases.join(','),
      folder,
    ]);
    this.log(tableText([['PLUGIN', 'VERSION', 'LOCK', 'PHASES', 'FOLDER'], ...rows]));
  }
}
