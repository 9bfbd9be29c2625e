/**
 * A plan in a file: `join plan --out` writes it, and `join run --plan` runs it if nothing has changed since. It holds
 * the values of the inputs, but no secret. The machine is not changed by either.
 */

import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parseJson } from '../../engine/documents/json.ts';
import { violations } from '../../engine/documents/validate.ts';
import { MachineFiles } from '../../engine/host/files.ts';
import { recordingHost } from '../../engine/host/recording.ts';
import { readTrusted } from '../../engine/host/trusted.ts';
import type { MachineRecord } from '../../engine/journal/machine-id.ts';
import type { PluginRecord } from '../../engine/journal/records.ts';
import { withoutSecrets, withSecretsBack } from '../../engine/journal/secrets.ts';
import { reasonOf } from '../../engine/limits/errno.ts';
import { LIMITS } from '../../engine/limits/sizes.ts';
import { flagName } from '../../engine/pipeline/flag-names.ts';
import type { Plan, PlanSource } from '../../engine/pipeline/plan.ts';
import { pluginRecords } from '../../engine/run/plan-record.ts';
import { run } from '../../engine/run/run.ts';
import { clean, fail, type HostFacts, isJoinError, Secret } from '../../engine/sdk/index.ts';
import pjson from '../../package.json' with { type: 'json' };
import schema from '../../schemas/saved-plan.schema.json' with { type: 'json' };
import type { MachineSession } from '../compose.ts';
import { askForSecret, isInteractive } from '../inputs/terminal.ts';
import { summaryLine } from '../render/plan-summary.ts';
import { type PlannedResult, plannedChanges, waitCollector } from '../render/planned.ts';
import { recordDifferences, type StepRecord, stepRecords } from './plan-record.ts';
import { sourceDifference } from './source.ts';

export interface SavedPlan {
  apiVersion: 'joinery.dev/v1';
  kind: 'SavedPlan';
  /** Version of Joinery. */
  joinery: string;
  savedAt: string;
  /** The first line of the plan, for readers. */
  summary: string;
  source: PlanSource;
  machine: MachineRecord;
  host: HostFacts;
  plugins: PluginRecord[];
  /** A secret is `{"$secret": name}`. */
  inputs: Record<string, unknown>;
  steps: StepRecord[];
}

const SECRET_PREFIX = /^input\./;

/** Writes the plan with mode 0600. E_PLAN_FILE. */
export async function savePlan(path: string, planned: PlannedResult, session: MachineSession): Promise<void> {
  const { plan } = planned;
  const document: SavedPlan = {
    apiVersion: 'joinery.dev/v1',
    kind: 'SavedPlan',
    joinery: pjson.version,
    savedAt: new Date().toISOString(),
    summary: summaryLine(planned),
    source: plan.source,
    machine: await session.runs.machine(),
    host: plan.host,
    plugins: pluginRecords(plan.steps),
    inputs: withoutSecrets(plan.inputs, 'input', (name) => name) as Record<string, unknown>,
    steps: await stepRecords(planned, session.machine),
  };
  const content = Buffer.from(`${JSON.stringify(document, null, 2)}\n`);
  if (content.length > LIMITS.text)
    throw fail('E_PLAN_FILE', { file: path, what: `the plan would have more than ${LIMITS.text} bytes` });
  try {
    await new MachineFiles('/').replaceFile(resolve(path), content, 0o600);
  } catch (error) {
    if (isJoinError(error)) throw error;
    throw fail('E_PLAN_FILE', { file: path, what: reasonOf(error) }, error);
  }
}

/** E_PLAN_FILE; E_FILE_UNTRUSTED if others can change the file. */
export function readSavedPlan(file: string): SavedPlan {
  let value: unknown;
  try {
    value = parseJson(readTrusted(file));
  } catch (error) {
    if (isJoinError(error)) throw error;
    throw fail('E_PLAN_FILE', { file, what: clean(reasonOf(error)) }, error);
  }
  const [violation] = violations(schema, value);
  if (violation !== undefined)
    throw fail('E_PLAN_FILE', { file, what: clean(`${violation.path.join('.')} ${violation.message}`) });
  return value as SavedPlan;
}

/** The inputs in clear text. Asks for secrets that were not typed, if there is a terminal. E_PLAN_SECRET. */
export async function savedInputs(
  file: string,
  { inputs }: SavedPlan,
  typed: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  const known = (name: string) => {
    const value = typed[name.replace(SECRET_PREFIX, '')];
    return typeof value === 'string' ? new Secret(value) : undefined;
  };
  const names = withSecretsBack(inputs, known).missing.map((name) => name.replace(SECRET_PREFIX, ''));
  if (names.length > 0 && !isInteractive()) throw fail('E_PLAN_SECRET', { file, flags: names.map(flagName) });
  const asked = new Map<string, Secret>();
  for (const name of names) asked.set(name, new Secret(await askForSecret(`${flagName(name)} for ${file}`)));
  const { value } = withSecretsBack(inputs, (name) => known(name) ?? asked.get(name.replace(SECRET_PREFIX, '')));
  return value as Record<string, unknown>;
}

/** Repeats the dry run. E_PLAN_DRIFT if the machine, the cluster or Joinery itself has changed since the plan. */
export async function requireNoDrift(
  file: string,
  saved: SavedPlan,
  plan: Plan,
  session: MachineSession,
): Promise<void> {
  const differences = sourceDifferences(saved, plan, await session.runs.machine());
  if (differences.length === 0) {
    const { machine } = session;
    const collector = waitCollector();
    const result = await run({ plan, host: recordingHost(machine), onEvent: collector.onEvent });
    if (result.error !== undefined) throw result.error;
    const planned = { result, plan, changes: await plannedChanges(result, machine), waits: collector.waits };
    differences.push(...recordDifferences(saved.steps, await stepRecords(planned, machine)));
  }
  if (differences.length > 0) throw fail('E_PLAN_DRIFT', { file, differences });
}

function sourceDifferences(saved: SavedPlan, plan: Plan, machine: MachineRecord): string[] {
  const found: string[] = [];
  const source = sourceDifference(plan.source, saved.source);
  const facts = differentFacts(saved.host, plan.host);
  if (saved.joinery !== pjson.version)
    found.push(`this is Joinery ${pjson.version}, and the plan is of ${saved.joinery}`);
  if (!isDeepStrictEqual(saved.machine, machine))
    found.push(`this machine is ${machine.id}, and the plan is for ${saved.machine.id}`);
  else if (facts.length > 0) found.push(`the facts of this machine have changed: ${facts.join(', ')}`);
  if (source !== undefined) found.push(`the ${source} has changed`);
  if (!isDeepStrictEqual(saved.plugins, pluginRecords(plan.steps))) found.push('the plugins have changed');
  return found;
}

const differentFacts = (before: HostFacts, now: HostFacts): string[] =>
  Object.keys({ ...before, ...now }).filter(
    (name) => !isDeepStrictEqual(before[name as keyof HostFacts], now[name as keyof HostFacts]),
  );
