/** The plan of a pipeline on a machine in memory. */
import { lastingName } from '../../bin/pipelines.ts';
import { type Plan, planOf } from '../../engine/pipeline/plan.ts';
import { catalog, registry } from './app.ts';
import { NODE } from './joined-state.ts';

export async function memoryPlan(name: string, inputs: Record<string, unknown>): Promise<Plan> {
  const facts = { name: NODE, privileged: true, architecture: 'amd64', distribution: 'debian' } as const;
  const plan = planOf((await catalog.openOverlaid(name, []))(facts), registry, inputs, facts);
  return { ...plan, source: { ...plan.source, name: lastingName(name) } };
}
