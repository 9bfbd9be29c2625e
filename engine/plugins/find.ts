/**
 * Finds the plugins that a pipeline, the command line or the machine names. It never searches the working directory.
 */
import { readdirSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fail } from '../sdk/errors.ts';

/** Every folder in here is a plugin of this machine. */
export const INSTALLED = '/etc/joinery/plugins';

/** What names the plugin. This decides which lock has to pin it. */
export type PluginSource = 'machine' | 'pipeline' | 'command line' | 'journal';

export interface PluginLocation {
  folder: string;
  by: PluginSource;
  /** It ships with Joinery, and is trusted like Joinery. */
  isShipped: boolean;
}

/** One readdir, because every run does this. */
export function installedPlugins(folder = INSTALLED): PluginLocation[] {
  try {
    const names = readdirSync(folder).filter((name) => !name.startsWith('.') && name !== 'node_modules');
    return names.sort().map((name) => ({ folder: join(folder, name), by: 'machine', isShipped: false }));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw fail('E_PLUGIN_FILES', { folder, what: code ?? String(error) }, error);
  }
}

/**
 * Finds a plugin that a pipeline names in `plugins`: a path that begins with `.` or `/`, relative to the pipeline's
 * folder `from`; or the name of a plugin that ships with Joinery (in `shipped`), of a plugin of this machine, or of a
 * package in the node_modules beside the pipeline. E_PLUGIN_MISSING.
 */
export async function namedPlugin(
  named: string,
  from: string,
  shipped: string,
  installed = INSTALLED,
): Promise<PluginLocation> {
  if (/^\.{0,2}(\/|$)/.test(named)) return { folder: resolve(from, named), by: 'pipeline', isShipped: false };
  const isName = /^(@[a-z0-9][-a-z0-9._]*\/)?[a-z0-9][-a-z0-9._]*$/.test(named);
  const folders = [shipped, installed, join(from, 'node_modules')];
  for (const parent of isName ? folders : []) {
    const folder = join(parent, named);
    const isThere = await access(join(folder, 'package.json')).then(
      () => true,
      () => false,
    );
    if (isThere) return { folder, by: 'pipeline', isShipped: parent === shipped };
  }
  throw fail('E_PLUGIN_MISSING', { plugin: named, searched: folders });
}
