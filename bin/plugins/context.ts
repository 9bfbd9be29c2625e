/** What loading plugins needs and changes. There is one for an `App`. */
import type { Registry } from '../../engine/pipeline/registry.ts';
import type { Importer, LoadedPlugin } from '../../engine/plugins/load.ts';
import type { PipelineCatalog } from '../pipelines.ts';

export interface PluginParts {
  /** The folder of Joinery's package. */
  root: string;
  importer: Importer;
  /** Gets the phases of plugins. */
  registry: Registry;
  /** Gets the pipelines and environments of plugins. */
  catalog: PipelineCatalog;
}

export interface PluginContext extends PluginParts {
  /** By folder. */
  loaded: Map<string, LoadedPlugin>;
  /** To be called before the first code of a plugin runs. */
  beforeCode(): void;
}
