/** The plan of a pipeline on a machine in memory. */
import type { App } from '../../bin/compose.ts';
import { lastingName, type PipelineCatalog, type PipelineFor } from '../../bin/pipelines.ts';
import { type Plan, planOf } from '../../engine/pipeline/plan.ts';
import { app, catalog, registry } from './app.ts';
import { NODE } from './joined-state.ts';

export async function memoryPlan(name: string, inputs: Record<string, unknown>): Promise<Plan> {
  const facts = { name: NODE, privileged: true, architecture: 'amd64', distribution: 'debian' } as const;
  const plan = planOf((await catalog.openOverlaid(name, []))(facts), registry, inputs, facts);
  return { ...plan, source: { ...plan.source, name: lastingName(name) } };
}

const opened = new Map<string, Promise<PipelineFor>>();
const parsedOnce: Partial<PipelineCatalog> = {
  extends: () => false,
  openOverlaid(name, environments) {
    const key = [name, ...environments].join();
    if (!opened.has(key)) opened.set(key, catalog.openOverlaid(name, environments));
    return opened.get(key) as Promise<PipelineFor>;
  },
};
/** The application for many resumes, each of which would parse the pipeline again. */
export const resumingApp: App = { ...app, catalog: Object.assign(Object.create(catalog), parsedOnce) };
