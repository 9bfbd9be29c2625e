/** The plugins of this process. The code that loads them is itself loaded only when there is a plugin. */
import type { Start } from '../../engine/journal/records.ts';
import type { Importer, LoadedPlugin } from '../../engine/plugins/load.ts';
import { isJoinError } from '../../engine/sdk/index.ts';
import type { PluginContext, PluginParts } from './context.ts';
import { discoverPlugins, type PluginSources } from './discover.ts';

export class Plugins {
  readonly #context: PluginContext;
  #hasRunCode = false;

  constructor(parts: PluginParts) {
    this.#context = {
      ...parts,
      loaded: new Map<string, LoadedPlugin>(),
      beforeCode: () => this.beforeCode(),
    };
  }

  /** Whether code of a plugin has run: it may have left timers or sockets that keep the process alive. */
  get hasRunCode(): boolean {
    return this.#hasRunCode;
  }

  get importer(): Importer {
    return this.#context.importer;
  }

  /** Called before code of a plugin runs. */
  beforeCode(): void {
    if (this.#hasRunCode) return;
    this.#hasRunCode = true;
    // A promise that a phase never awaits must not end the run when it is rejected.
    process.on('unhandledRejection', (reason) => {
      const code = isJoinError(reason) ? ` (${reason.code})` : '';
      process.stderr.write(`! a plugin did not handle a rejected promise${code}\n`);
    });
  }

  /** Registers the phases of every plugin that this machine, the command line and the pipeline name. */
  async load({ argv = [], pipeline }: PluginSources): Promise<void> {
    const discovered = discoverPlugins(argv);
    const { plugins: named = [], place } = pipeline ?? {};
    if (discovered.length === 0 && named.length === 0) return;
    const { loadPlugins } = await import('./load.ts');
    await loadPlugins(this.#context, { discovered, named, place });
  }

  /** Registers the phases of the steps of a run, except those of `skip`. E_RUN_PLUGIN if a plugin has changed. */
  async loadForRun({ id, plugins = [] }: Start, skip: readonly string[] = []): Promise<void> {
    const needed = plugins.filter(({ steps }) => steps.some((step) => !skip.includes(step)));
    if (needed.length === 0) return;
    const { loadRecordedPlugins } = await import('./load.ts');
    await loadRecordedPlugins(this.#context, id, needed);
  }
}
