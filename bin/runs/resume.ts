/** Rebuilds the plan of an earlier run from its journal. */
import type { Journal } from '../../engine/journal/journal.ts';
import type { Start } from '../../engine/journal/records.ts';
import { kebabCase } from '../../engine/pipeline/flag-names.ts';
import { phaseFor, planOfPhase } from '../../engine/pipeline/phase-plan.ts';
import { type Plan, planOf } from '../../engine/pipeline/plan.ts';
import { fail, revealSecrets } from '../../engine/sdk/index.ts';
import type { App } from '../compose.ts';
import { askForSecret, isInteractive } from '../inputs/terminal.ts';
import { DEFAULT_PIPELINE, sourceOf } from '../pipelines.ts';
import { openWithPlugins } from '../plugins/open-with-plugins.ts';
import { sourceDifference } from './source.ts';

export interface ResumeInputs {
  /** Secrets that were typed again, and other time limits. */
  again: Readonly<Record<string, unknown>>;
  argv: readonly string[];
}

/** Asks for secrets that are no longer kept, if there is a terminal. E_RUN_SECRET_GONE, E_RUN_CHANGED. */
export async function planToResume(app: App, journal: Journal, { again, argv }: ResumeInputs): Promise<Plan> {
  const { start } = journal.history();
  const { value, missing } = journal.reveal(start.inputs);
  const inputs: Record<string, unknown> = { ...(revealSecrets(value) as object), ...again };
  const gone = missing.map((name) => name.replace(/^input\./, '')).filter((name) => inputs[name] === undefined);
  if (gone.length > 0 && !isInteractive())
    throw fail('E_RUN_SECRET_GONE', { run: start.id, flags: gone.map((name) => `--${kebabCase(name)}`) });
  for (const name of gone) inputs[name] = await askForSecret(`${name} of run ${start.id}`);
  const known = Object.entries(inputs).filter(([, item]) => item !== undefined);
  const plan = await planAgain(app, start, argv, Object.fromEntries(known));
  const difference = sourceDifference(plan.source, start.source);
  if (difference !== undefined) throw fail('E_RUN_CHANGED', { run: start.id, source: difference });
  return plan;
}

async function planAgain(
  app: App,
  start: Start,
  argv: readonly string[],
  inputs: Record<string, unknown>,
): Promise<Plan> {
  const { registry } = app;
  const { source, host } = start;
  const { kind, name, environments = [] } = source;
  await app.plugins.loadForRun(start);
  const pipelineFor = await openWithPlugins(app, {
    name: kind === 'pipeline' ? name : DEFAULT_PIPELINE,
    environments: environments.map((environment) => environment.name),
    argv,
  });
  const pipeline = pipelineFor(host);
  if (kind === 'pipeline') return { ...planOf(pipeline, registry, inputs, host), source: sourceOf(pipeline, name) };
  const step = pipeline.steps.find(({ id }) => id === name);
  const phase = step === undefined ? name : phaseFor(step, inputs);
  return planOfPhase(name, registry.get(phase), inputs, host);
}
