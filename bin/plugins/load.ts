/** Every plugin is found, inspected and compared with the locks before the code of the first one runs. */
import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PluginRecord } from '../../engine/journal/records.ts';
import type { Pipeline } from '../../engine/pipeline/load.ts';
import { INSTALLED, namedPlugin, type PluginLocation } from '../../engine/plugins/find.ts';
import { type InspectedPlugin, inspectPlugin } from '../../engine/plugins/inspect.ts';
import { loadPlugin } from '../../engine/plugins/load.ts';
import { assertPinned, type Lock, readLock } from '../../engine/plugins/lock.ts';
import { fail } from '../../engine/sdk/index.ts';
import pjson from '../../package.json' with { type: 'json' };
import type { PluginContext } from './context.ts';
import { sdk } from './sdk.ts';

export interface PluginsToLoad {
  /** By the machine and the command line. */
  discovered: readonly PluginLocation[];
  /** By a pipeline: paths relative to its place, or names. */
  named: readonly string[];
  place: Pipeline['place'];
}

export async function loadPlugins(context: PluginContext, { discovered, named, place }: PluginsToLoad): Promise<void> {
  const shipped = named.length === 0 ? '' : context.assets.plugins();
  const ofPipeline = await Promise.all(named.map((name) => namedPlugin(name, place?.folder ?? shipped, shipped)));
  await register(context, [...discovered, ...ofPipeline], locksFor(place));
}

/** The lock of the machine, and the one beside a pipeline. */
export function locksFor(place: Pipeline['place']): Lock[] {
  const locks = [
    readLock(dirname(INSTALLED), 'machine', 'join plugin lock'),
    ...(place === undefined ? [] : [readLock(place.folder, 'pipeline', `join plugin lock ${place.words}`)]),
  ];
  return locks.filter((lock) => lock !== undefined);
}

async function register(
  context: PluginContext,
  locations: readonly PluginLocation[],
  locks: readonly Lock[],
): Promise<void> {
  const { loaded } = context;
  const inspected = new Map<string, InspectedPlugin>();
  for (const { folder, by, isShipped } of locations) {
    const path = await realpath(folder).catch(() => folder);
    const plugin = loaded.get(path) ?? (await inspectPlugin(folder, pjson.version, { isShipped }));
    if (!isShipped) assertPinned(plugin, by, locks);
    inspected.set(plugin.folder, plugin);
  }
  const plugins = [...inspected.values()];
  assertDistinctNames(plugins, loaded.values());
  for (const plugin of plugins) if (!loaded.has(plugin.folder)) await runCode(context, plugin);
}

/** E_PLUGIN_TWICE if two folders hold a plugin of the same name. */
function assertDistinctNames(plugins: readonly InspectedPlugin[], loaded: Iterable<InspectedPlugin>): void {
  const all = [...loaded, ...plugins];
  for (const { manifest, folder } of plugins) {
    const { name } = manifest;
    const other = all.find((each) => each.manifest.name === name && each.folder !== folder);
    if (other !== undefined)
      throw fail('E_PLUGIN_TWICE', { what: `plugin ${name}`, first: other.folder, second: folder });
  }
}

async function runCode(context: PluginContext, plugin: InspectedPlugin): Promise<void> {
  context.beforeCode();
  const loaded = await loadPlugin(plugin, { importer: context.importer, sdk });
  for (const phase of loaded.phases) context.registry.add(phase);
  for (const kind of ['pipelines', 'environments'] as const)
    for (const [name, path] of Object.entries(loaded.manifest[kind]))
      context.catalog.addFile(kind, name, join(loaded.folder, path));
  context.loaded.set(loaded.folder, loaded);
}

/** The plugins of an earlier run, loaded from the same folders; those that ship, from where they are now. */
export async function loadRecordedPlugins(
  context: PluginContext,
  run: string,
  records: readonly PluginRecord[],
): Promise<void> {
  for (const { name, version, integrity, folder: recorded, isShipped = false } of records) {
    const folder = isShipped ? join(context.assets.plugins(), name) : recorded;
    const changed = (what: string, cause?: unknown) =>
      fail('E_RUN_PLUGIN', { run, plugin: name, folder, version, what }, cause);
    const plugin =
      context.loaded.get(folder) ??
      (await inspectPlugin(folder, pjson.version, { isShipped }).catch((error: Error) => {
        throw changed(`now ${error.message}`, error);
      }));
    if (!isShipped && plugin.integrity !== integrity)
      throw changed(`the plugin there is now a different one (${plugin.manifest.version})`);
    await register(context, [{ folder, by: 'journal', isShipped }], []);
  }
}
