/** Plugins as they are on disk, for `join plugin`: none of their code runs. */
import { namedPlugin, type PluginLocation, type PluginSource } from '../../engine/plugins/find.ts';
import { type InspectedPlugin, inspectPlugin } from '../../engine/plugins/inspect.ts';
import pjson from '../../package.json' with { type: 'json' };
import type { Assets } from '../assets.ts';
import { discoverPlugins, type PluginSources } from './discover.ts';

export interface FoundPlugin {
  /** What refers to the plugin. */
  by: PluginSource;
  plugin: InspectedPlugin;
}

/** Throws the errors of `inspectPlugin`. */
export async function inspectPlugins(assets: Assets, { argv = [], pipeline }: PluginSources): Promise<FoundPlugin[]> {
  const { plugins: named = [], place } = pipeline ?? {};
  const shipped = named.length === 0 ? '' : assets.plugins();
  const locations: PluginLocation[] = discoverPlugins(argv);
  for (const name of named) locations.push(await namedPlugin(name, place?.folder ?? shipped, shipped));
  const found: FoundPlugin[] = [];
  for (const { folder, by, isShipped } of locations)
    found.push({ by, plugin: await inspectPlugin(folder, pjson.version, { isShipped }) });
  return found;
}
