/** Pipelines with their environments, opened after the plugins that they need are loaded. */
import type { App } from '../compose.ts';
import { DEFAULT_PIPELINE, isFile, type PipelineFor, type TrackedPipeline } from '../pipelines.ts';

type Parts = Pick<App, 'catalog' | 'plugins'>;

export interface PipelineRequest {
  /** Name or file of the pipeline. */
  name: string;
  /** Names or files of environments. */
  environments: readonly string[];
  argv: readonly string[];
}

export async function openWithPlugins({ catalog, plugins }: Parts, request: PipelineRequest): Promise<PipelineFor> {
  const { name, environments, argv } = request;
  if (mayBelongToPlugin(request) || catalog.extends(name)) await plugins.load({ argv });
  const pipelineFor = await catalog.openOverlaid(name, environments);
  await plugins.load({ argv, pipeline: pipelineFor() });
  return pipelineFor;
}

/** The same, with the place of each value. */
export async function openTrackedWithPlugins(
  { catalog, plugins }: Parts,
  request: PipelineRequest,
): Promise<TrackedPipeline> {
  const { name, environments, argv } = request;
  if (mayBelongToPlugin(request) || catalog.extends(name)) await plugins.load({ argv });
  const tracked = await catalog.openTracked(name, environments);
  await plugins.load({ argv, pipeline: tracked.resolve().pipeline });
  return tracked;
}

/**
 * A name that is neither a file nor the default may be that of a plugin's pipeline or environment. A pipeline that
 * extends another may extend that of a plugin.
 */
const mayBelongToPlugin = ({ name, environments }: PipelineRequest): boolean =>
  [name, ...environments].some((each) => !isFile(each) && each !== DEFAULT_PIPELINE);
