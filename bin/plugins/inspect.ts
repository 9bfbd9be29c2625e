/** Plugins as they lie there, for `join plugin`: nothing of their code is run. */
import { installedPlugins, namedPlugin, type Wanted, type WantedBy } from '../../engine/plugins/find.ts';
import { type InspectedPlugin, inspectPlugin } from '../../engine/plugins/inspect.ts';
import pjson from '../../package.json' with { type: 'json' };
import { namedOnCommandLine, type PluginsOf, shippedPlugins } from './discover.ts';

export interface Looked {
  by: WantedBy;
  plugin: InspectedPlugin;
}

/** Errors as of `inspectPlugin`. */
export async function lookAt({ root, argv = [], pipeline }: PluginsOf): Promise<Looked[]> {
  const { plugins: named = [], place } = pipeline ?? {};
  const shipped = shippedPlugins(root);
  const wanted: Wanted[] = [...installedPlugins(), ...namedOnCommandLine(argv)];
  for (const name of named) wanted.push(await namedPlugin(name, place?.folder ?? shipped, shipped));
  const found: Looked[] = [];
  for (const { folder, by, isShipped } of wanted)
    found.push({ by, plugin: await inspectPlugin(folder, pjson.version, isShipped) });
  return found;
}
