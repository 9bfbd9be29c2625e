/** The journal that a plan runs with: a new one, or that of an unfinished run of the same plan. */
import { isDeepStrictEqual } from 'node:util';
import { type History, isClosed } from '../../engine/journal/history.ts';
import type { Journal } from '../../engine/journal/journal.ts';
import type { Runs } from '../../engine/journal/runs.ts';
import { withoutSecrets } from '../../engine/journal/secrets.ts';
import { kebabCase } from '../../engine/pipeline/flag-names.ts';
import type { Plan } from '../../engine/pipeline/plan.ts';
import { pluginRecords } from '../../engine/run/plan-record.ts';
import { fail } from '../../engine/sdk/index.ts';
import pjson from '../../package.json' with { type: 'json' };
import { sourceDifference } from './source.ts';

/** E_RUN_UNFINISHED if the last run is unfinished and had another plan. */
export async function journalFor(plan: Plan, runs: Runs): Promise<{ journal: Journal; isResumed: boolean }> {
  const last = await unfinishedRun(plan, runs);
  if (last === undefined) return { journal: await beginJournal(plan, runs), isResumed: false };
  const run = last.start.id;
  await runs.requireOwn(last); // before its inputs are compared with those of this machine
  const differs = differences(plan, last);
  if (differs.length > 0) throw fail('E_RUN_UNFINISHED', { run, differs });
  const journal = await runs.open(run);
  await journal.resumed(plan.inputs);
  return { journal, isResumed: true };
}

/** A single phase resumes its own last run, and ignores those of other phases and of pipelines. */
async function unfinishedRun({ source }: Plan, runs: Runs): Promise<History | undefined> {
  for (const id of await runs.ids()) {
    const { history, error } = await runs.examine(id);
    const { kind, name } = history?.start.source ?? source;
    // A clone must be able to reset itself, although it has inherited an interrupted reset.
    if (kind === 'phase' && history !== undefined && !(await isOwn(history, runs))) continue;
    if (kind !== source.kind || (kind !== 'pipeline' && name !== source.name)) continue;
    if (error !== undefined) throw error; // it may be unfinished
    if (history !== undefined) return isClosed(history) ? undefined : history;
  }
  return undefined;
}

const isOwn = (history: History, runs: Runs): Promise<boolean> =>
  runs.requireOwn(history).then(
    () => true,
    () => false,
  );

/** Names the inputs that differ. Secrets and time limits may differ: a token expires, and a limit was too short. */
function differences({ source, inputs, steps, limitInputs: limits = [] }: Plan, { start }: History): string[] {
  const difference = sourceDifference(source, start.source);
  if (difference !== undefined) return [difference];
  if (!isDeepStrictEqual(pluginRecords(steps), start.plugins ?? [])) return ['plugin'];
  const before = start.inputs as Record<string, unknown>;
  const now = withoutSecrets(inputs, 'input', (name) => name) as Record<string, unknown>;
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  const differing = names.filter((name) => !limits.includes(name) && !isDeepStrictEqual(before[name], now[name]));
  return differing.map((name) => `--${kebabCase(name)}`);
}

async function beginJournal({ pipeline, source, inputs, host, steps }: Plan, runs: Runs): Promise<Journal> {
  const plugins = pluginRecords(steps);
  return runs.begin({
    joinery: pjson.version,
    pipeline,
    source,
    inputs,
    host,
    machine: await runs.machine(),
    steps: steps.map(({ id }) => id),
    ...(plugins.length === 0 ? {} : { plugins }),
  });
}
