/** Plugins are found, looked at and compared with the locks, all of them; only then is the code of the first one run. */
import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PluginRecord } from '../../engine/journal/records.ts';
import type { Pipeline } from '../../engine/pipeline/load.ts';
import { INSTALLED, namedPlugin, type Wanted } from '../../engine/plugins/find.ts';
import { type InspectedPlugin, inspectPlugin } from '../../engine/plugins/inspect.ts';
import { type LoadedPlugin, loadPlugin } from '../../engine/plugins/load.ts';
import { assertPinned, type Lock, readLock } from '../../engine/plugins/lock.ts';
import { fail } from '../../engine/sdk/index.ts';
import pjson from '../../package.json' with { type: 'json' };
import { registry } from '../compose.ts';
import { pluginFiles } from '../pipelines.ts';
import { launcher, useLauncher } from './discover.ts';
import { sdk } from './sdk.ts';

export interface Use {
  wanted: readonly Wanted[];
  /** By a pipeline: paths from its place, or names. */
  named: readonly string[];
  place: Pipeline['place'];
  shipped: string;
}

const loaded = new Map<string, LoadedPlugin>();

export async function use({ wanted, named, place, shipped }: Use): Promise<void> {
  const ofPipeline = await Promise.all(named.map((name) => namedPlugin(name, place?.folder ?? shipped, shipped)));
  await register([...wanted, ...ofPipeline], locksFor(place));
}

/** That of the machine, and the one beside a pipeline. */
export function locksFor(place: Pipeline['place']): Lock[] {
  const found = [
    readLock(dirname(INSTALLED), 'machine', 'join plugin lock'),
    ...(place === undefined ? [] : [readLock(place.folder, 'pipeline', `join plugin lock ${place.words}`)]),
  ];
  return found.filter((lock) => lock !== undefined);
}

async function register(wanted: readonly Wanted[], locks: readonly Lock[]): Promise<InspectedPlugin[]> {
  const inspected = new Map<string, InspectedPlugin>();
  for (const { folder, by, isShipped } of wanted) {
    const plugin =
      loaded.get(await realpath(folder).catch(() => folder)) ?? (await inspectPlugin(folder, pjson.version, isShipped));
    if (!isShipped) assertPinned(plugin, by, locks);
    inspected.set(plugin.folder, plugin);
  }
  const plugins = [...inspected.values()];
  for (const plugin of plugins) {
    const { name } = plugin.manifest;
    const other = [...loaded.values(), ...plugins].find(
      (one) => one.manifest.name === name && one.folder !== plugin.folder,
    );
    if (other !== undefined)
      throw fail('E_PLUGIN_TWICE', { what: `plugin ${name}`, first: other.folder, second: plugin.folder });
  }
  for (const plugin of plugins) {
    if (loaded.has(plugin.folder)) continue;
    useLauncher();
    const ready = await loadPlugin(plugin, { importer: launcher.import, sdk });
    for (const phase of ready.phases) registry().add(phase);
    for (const kind of ['pipelines', 'environments'] as const)
      for (const [name, path] of Object.entries(ready.manifest[kind])) addFile(kind, name, join(ready.folder, path));
    loaded.set(ready.folder, ready);
  }
  return plugins;
}

/** E_PLUGIN_TWICE where two plugins have one of a name. */
function addFile(kind: keyof typeof pluginFiles, name: string, path: string): void {
  const first = pluginFiles[kind].get(name);
  if (first !== undefined) throw fail('E_PLUGIN_TWICE', { what: `${kind.slice(0, -1)} ${name}`, first, second: path });
  pluginFiles[kind].set(name, path);
}

/** Those of an earlier run, from where they were then. */
export async function useAgain(run: string, plugins: readonly PluginRecord[]): Promise<void> {
  for (const { name, version, integrity, folder, isShipped = false } of plugins) {
    const gone = (what: string, cause?: unknown) =>
      fail('E_RUN_PLUGIN', { run, plugin: name, folder, version, what }, cause);
    const there =
      loaded.get(folder) ??
      (await inspectPlugin(folder, pjson.version, isShipped).catch((error: Error) => {
        throw gone(`now ${error.message}`, error);
      }));
    if (!isShipped && there.integrity !== integrity)
      throw gone(`what is there now is another (${there.manifest.version})`);
    await register([{ folder, by: 'journal', isShipped }], []);
  }
}
