/** Runs that are gone on with: which one, with which plan, and from which journal. */
import { isDeepStrictEqual } from 'node:util';
import { type History, isClosed } from '../engine/journal/history.ts';
import type { Journal } from '../engine/journal/journal.ts';
import type { Start } from '../engine/journal/records.ts';
import type { Runs } from '../engine/journal/runs.ts';
import { withoutSecrets } from '../engine/journal/secrets.ts';
import { kebab, type Plan, planOf, type Source } from '../engine/pipeline/plan.ts';
import { phaseUsed, planOfPhase } from '../engine/pipeline/single-phase.ts';
import { pluginRecords } from '../engine/run/plan-record.ts';
import { fail, revealSecrets } from '../engine/sdk/index.ts';
import pjson from '../package.json' with { type: 'json' };
import { isAnybodyThere, typedSecret } from './ask.ts';
import { registry } from './compose.ts';
import { DEFAULT_PIPELINE, openLayered, sourceOf } from './pipelines.ts';
import { usePlugins, usePluginsOfRun } from './plugins/discover.ts';

/** A new journal; or that of the run which the same plan has left unfinished, to go on with. E_RUN_UNFINISHED where it was another plan. */
export async function journalFor(plan: Plan, runs: Runs): Promise<{ journal: Journal; goesOn: boolean }> {
  const last = await unfinished(plan, runs);
  if (last === undefined) return { journal: begin(plan, runs), goesOn: false };
  const run = last.start.id;
  const differs = differences(plan, last);
  if (differs.length > 0) throw fail('E_RUN_UNFINISHED', { run, differs });
  const journal = await runs.open(run);
  await journal.resumed(plan.inputs);
  return { journal, goesOn: true };
}

/** A phase by itself goes on with its own last run, and minds no other. */
async function unfinished({ source }: Plan, runs: Runs): Promise<History | undefined> {
  for (const id of await runs.ids()) {
    const history = await runs.history(id);
    const { kind, name } = history.start.source;
    if (kind === source.kind && (kind === 'pipeline' || name === source.name))
      return isClosed(history) ? undefined : history;
  }
  return undefined;
}

/** Names of the inputs that are not the same; secrets may be others: a token that expired is replaced. */
function differences({ source, inputs, steps }: Plan, { start }: History): string[] {
  const other = otherSource(source, start.source);
  if (other !== undefined) return [other];
  if (!isDeepStrictEqual(pluginRecords(steps), start.plugins ?? [])) return ['plugin'];
  const before = start.inputs as Record<string, unknown>;
  const now = withoutSecrets(inputs, 'input', (name) => name) as Record<string, unknown>;
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return names.filter((name) => !isDeepStrictEqual(before[name], now[name])).map((name) => `--${kebab(name)}`);
}

/** What is not the same that a run is made of, in words; undefined where all of it is. */
function otherSource(now: Source, before: Source): string | undefined {
  if (now.name !== before.name || now.digest !== before.digest) return now.kind;
  const [these = [], those = []] = [now.environments, before.environments];
  const names = those.map(({ name }) => name);
  if (
    !isDeepStrictEqual(
      these.map(({ name }) => name),
      names,
    )
  )
    return `environment (${names.length === 0 ? 'it had none' : names.join(', ')})`;
  const changed = those.find(({ digest }, index) => these[index]?.digest !== digest);
  return changed === undefined ? undefined : `environment ${changed.name}`;
}

function begin({ pipeline, source, inputs, host, steps }: Plan, runs: Runs): Journal {
  const plugins = pluginRecords(steps);
  return runs.begin({
    ...{ joinery: pjson.version, pipeline, source, inputs, host, steps: steps.map(({ id }) => id) },
    ...(plugins.length === 0 ? {} : { plugins }),
  });
}

/**
 * The plan that a run was begun with. `given` are secrets that are typed anew; those that are not kept any more are asked for,
 * where there is somebody to ask. E_RUN_SECRET_GONE, E_RUN_CHANGED.
 */
export async function planToResume(
  root: string,
  journal: Journal,
  given: Readonly<Record<string, unknown>>,
  argv: readonly string[],
): Promise<Plan> {
  const { start } = journal.history();
  const { value, missing } = journal.reveal(start.inputs);
  const inputs: Record<string, unknown> = { ...(revealSecrets(value) as object), ...given };
  const gone = missing.map((name) => name.replace(/^input\./, '')).filter((name) => inputs[name] === undefined);
  if (gone.length > 0 && !isAnybodyThere())
    throw fail('E_RUN_SECRET_GONE', { run: start.id, flags: gone.map((name) => `--${kebab(name)}`) });
  for (const name of gone) inputs[name] = await typedSecret(`${name} of run ${start.id}`);
  const known = Object.entries(inputs).filter(([, item]) => item !== undefined);
  const plan = await planFrom(root, start, argv, Object.fromEntries(known));
  const other = otherSource(plan.source, start.source);
  if (other !== undefined) throw fail('E_RUN_CHANGED', { run: start.id, source: other });
  return plan;
}

async function planFrom(
  root: string,
  start: Start,
  argv: readonly string[],
  inputs: Record<string, unknown>,
): Promise<Plan> {
  const { source, host } = start;
  const { kind, name, environments = [] } = source;
  const names = environments.map((environment) => environment.name);
  await usePluginsOfRun(start);
  await usePlugins({ root, argv });
  const pipeline = (await openLayered(root, kind === 'pipeline' ? name : DEFAULT_PIPELINE, names))(host);
  await usePlugins({ root, argv, pipeline });
  if (kind === 'pipeline') return { ...planOf(pipeline, registry(), inputs, host), source: sourceOf(pipeline, name) };
  const step = pipeline.steps.find(({ id }) => id === name);
  const used = step === undefined ? name : phaseUsed(step, inputs);
  return planOfPhase(name, registry().get(used), inputs, host);
}
