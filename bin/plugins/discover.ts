/** Finds the plugins that this machine and the command line name. Every command does this, so it is one readdir. */
import { join, resolve } from 'node:path';
import type { Pipeline } from '../../engine/pipeline/load.ts';
import { installedPlugins, type PluginLocation } from '../../engine/plugins/find.ts';
import { valuesOfFlag } from '../inputs/raw-flags.ts';

/** Sources of plugin names, in addition to the machine. */
export interface PluginSources {
  argv?: readonly string[];
  pipeline?: Pipeline | undefined;
}

/** The plugins that ship with Joinery. `root` is the folder of its package. */
export const shippedPlugins = (root: string): string => join(root, 'dist/plugins');

export const discoverPlugins = (argv: readonly string[]): PluginLocation[] => [
  ...installedPlugins(),
  ...valuesOfFlag('--plugin', argv).map(
    (folder): PluginLocation => ({ folder: resolve(folder), by: 'command line', isShipped: false }),
  ),
];
