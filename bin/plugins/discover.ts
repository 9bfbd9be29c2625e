/** Whether a command needs plugins at all: what all that need none pay for is one readdir. */
import { join, resolve } from 'node:path';
import type { Start } from '../../engine/journal/records.ts';
import type { Pipeline } from '../../engine/pipeline/load.ts';
import { installedPlugins, type Wanted } from '../../engine/plugins/find.ts';
import type { Importer } from '../../engine/plugins/load.ts';
import { isJoinError } from '../../engine/sdk/index.ts';
import { typedFor } from '../inputs/flags.ts';

/** `import()` of the launcher; there is none in a bundle that is run from a code cache. */
export const launcher: { import: Importer; isUsed: boolean } = { import: (url) => import(url), isUsed: false };

/** From here on there is code in this process that is not Joinery's. */
export function useLauncher(): void {
  if (launcher.isUsed) return;
  launcher.isUsed = true;
  // Nobody waits for a promise that a phase has forgotten; it is no reason to end the run.
  process.on('unhandledRejection', (reason) => {
    const code = isJoinError(reason) ? ` (${reason.code})` : '';
    process.stderr.write(`! a plugin has forgotten a promise, and it was rejected${code}\n`);
  });
}

/** Plugins that ship with Joinery, in the package's folder `root`. */
export const shippedPlugins = (root: string): string => join(root, 'dist/plugins');

export const namedOnCommandLine = (argv: readonly string[]): Wanted[] =>
  typedFor('--plugin', argv).map((folder) => ({ folder: resolve(folder), by: 'command line', isShipped: false }));

export interface PluginsOf {
  /** The package's folder. */
  root: string;
  argv?: readonly string[];
  pipeline?: Pipeline;
}

/** Registers the phases of every plugin that this machine, this command line and this pipeline name. */
export async function usePlugins({ root, argv = [], pipeline }: PluginsOf): Promise<void> {
  const wanted = [...installedPlugins(), ...namedOnCommandLine(argv)];
  const { plugins: named = [], place } = pipeline ?? {};
  if (wanted.length === 0 && named.length === 0) return;
  const { use } = await import('./load.ts');
  await use({ wanted, named, place, shipped: shippedPlugins(root) });
}

/** Registers the phases that the steps of a run were done with. E_RUN_PLUGIN where they are not what they were. */
export async function usePluginsOfRun({ id, plugins = [] }: Start, skip: readonly string[] = []): Promise<void> {
  const needed = plugins.filter(({ steps }) => steps.some((step) => !skip.includes(step)));
  if (needed.length === 0) return;
  const { useAgain } = await import('./load.ts');
  await useAgain(id, needed);
}
