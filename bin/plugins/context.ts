/** What loading plugins uses and modifies. Each `App` has one. */
import type { Registry } from '../../engine/pipeline/registry.ts';
import type { Importer, LoadedPlugin } from '../../engine/plugins/load.ts';
import type { Assets } from '../assets.ts';
import type { PipelineCatalog } from '../pipelines.ts';

export interface PluginParts {
  assets: Assets;
  importer: Importer;
  /** Receives the phases of plugins. */
  registry: Registry;
  /** Receives the pipelines and environments of plugins. */
  catalog: PipelineCatalog;
}

export interface PluginContext extends PluginParts {
  /** By folder. */
  loaded: Map<string, LoadedPlugin>;
  /** Called before the first code of a plugin runs. */
  beforeCode(): void;
}
