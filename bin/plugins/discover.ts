/** Finds the plugins that this machine and the command line name. Every command does this, so it is one readdir. */
import { resolve } from 'node:path';
import type { Pipeline } from '../../engine/pipeline/load.ts';
import { installedPlugins, type PluginLocation } from '../../engine/plugins/find.ts';
import { valuesOfFlag } from '../inputs/raw-flags.ts';

/** Sources of plugin names, in addition to the machine. */
export interface PluginSources {
  argv?: readonly string[];
  pipeline?: Pipeline | undefined;
}

export const discoverPlugins = (argv: readonly string[]): PluginLocation[] => [
  ...installedPlugins(),
  ...valuesOfFlag('--plugin', argv).map(
    (folder): PluginLocation => ({ folder: resolve(folder), by: 'command line', isShipped: false }),
  ),
];
