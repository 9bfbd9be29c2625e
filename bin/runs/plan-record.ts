/** What a saved plan records of a dry run, so that a later one can be compared with it. */
import { createHash } from 'node:crypto';
import { changeText, type StepChange } from '../../engine/host/changes/index.ts';
import { digestOf, type PathBefore, snapshotOf } from '../../engine/host/changes/path-snapshot.ts';
import { type Host, readerOf } from '../../engine/host/host.ts';
import { withoutSecrets } from '../../engine/journal/secrets.ts';
import type { PlannedStep } from '../../engine/pipeline/planned-step.ts';
import type { StepResult } from '../../engine/run/run.ts';
import { pathMatcher } from '../../engine/sdk/effects.ts';
import { type AnyPhase, defined } from '../../engine/sdk/index.ts';
import { changesOf, knownAfterRun, type PlannedResult, waitsOf } from '../render/planned.ts';

export interface StepRecord {
  id: string;
  status: string;
  changes: ChangeRecord[];
  /** SHA-256 of each output that holds no secret, and that a dry run can know. */
  outputs: Record<string, string>;
}

export interface ChangeRecord {
  /** The change in one line. */
  text: string;
  /** What is at its path before the change: a kind and, for a file, mode and SHA-256. */
  before?: string;
  /** SHA-256 of the content that is written, unless it is secret or depends on what only a run knows. */
  content?: string;
}

export async function stepRecords(planned: PlannedResult, machine: Host): Promise<StepRecord[]> {
  const uncertain = uncertainSteps(planned);
  const records: StepRecord[] = [];
  for (const step of planned.result.steps) {
    const changes: ChangeRecord[] = [];
    for (const change of changesOf(step, planned))
      changes.push(await changeRecord(change, uncertain.get(step.id), machine));
    const outputs = uncertain.has(step.id) ? {} : outputDigests(step);
    records.push({ id: step.id, status: step.status, changes, outputs });
  }
  return records;
}

/** Steps whose results only a run knows, because they wait, or read what such a step returns. By ID, with the phase. */
function uncertainSteps(planned: PlannedResult): Map<string, AnyPhase> {
  const { result, plan } = planned;
  const steps = new Map<string, PlannedStep>(
    [...plan.steps, ...(plan.finally?.steps ?? [])].map((step) => [step.id, step]),
  );
  const uncertain = new Map<string, AnyPhase>();
  for (const step of result.steps) {
    const planStep = steps.get(step.id);
    const isUncertain =
      knownAfterRun(step, planned).length > 0 ||
      waitsOf(step, planned).length > 0 ||
      planStep?.reads.some((id) => uncertain.has(id)) === true;
    if (isUncertain && planStep !== undefined) uncertain.set(step.id, planStep.phase);
  }
  return uncertain;
}

/** `phase` is that of an uncertain step: names and contents that a run may choose are omitted. */
async function changeRecord(change: StepChange, phase: AnyPhase | undefined, machine: Host): Promise<ChangeRecord> {
  const stable = phase === undefined ? change : withoutChosenNames(change, phase);
  return defined({
    text: changeText(stable),
    before:
      'path' in stable && !stable.path.includes('*') ? beforeText(await snapshotAt(stable.path, machine)) : undefined,
    content:
      change.kind === 'file' && change.content !== undefined && phase === undefined
        ? digestOf(Buffer.from(change.content))
        : undefined,
  });
}

/** A name that matches a declared path with `*` is chosen by the run, and so is the name of a created object. */
function withoutChosenNames(change: StepChange, { effects }: AnyPhase): StepChange {
  const patterns = effects.flatMap((effect) => (effect.kind === 'path' ? [effect.path] : []));
  const patternOf = (path: string) =>
    (patterns.includes(path) ? undefined : patterns.find((pattern) => pathMatcher([pattern], {})(path))) ?? path;
  if (change.kind === 'api') return change.verb === 'create' ? { ...change, name: '*' } : change;
  if (change.kind === 'link') {
    const [path, target] = [patternOf(change.path), patternOf(change.target)];
    return path === change.path && target === change.target ? change : { ...change, path, target };
  }
  if (!('path' in change) || patternOf(change.path) === change.path) return change;
  return { ...change, path: patternOf(change.path) };
}

async function snapshotAt(path: string, machine: Host): Promise<PathBefore | { kind: 'none' }> {
  const { signal } = new AbortController(); // never aborted: the read has limits of its own
  return (await snapshotOf(path, readerOf(machine, signal))).before;
}

function beforeText(before: PathBefore | { kind: 'none' }): string {
  if (before.kind === 'file') return `file ${before.mode.toString(8).padStart(4, '0')} ${before.digest}`;
  return before.kind === 'link' ? `link to ${before.target}` : before.kind;
}

function outputDigests({ outputs }: StepResult): Record<string, string> {
  const plain = withoutSecrets(outputs ?? {}, 'output', (name) => name) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(plain).map(([name, value]) => [
      name,
      createHash('sha256')
        .update(JSON.stringify(value) ?? '')
        .digest('hex'),
    ]),
  );
}

/** How `now` differs from `before`, in full sentences without their periods. */
export function recordDifferences(before: readonly StepRecord[], now: readonly StepRecord[]): string[] {
  const later = new Map(now.map((step) => [step.id, step]));
  const earlier = new Set(before.map(({ id }) => id));
  return [
    ...before.flatMap((step) => {
      const found = later.get(step.id);
      return found === undefined ? [`step ${step.id} no longer exists`] : stepDifferences(step, found);
    }),
    ...now.filter(({ id }) => !earlier.has(id)).map(({ id }) => `step ${id} is new`),
  ];
}

function stepDifferences(before: StepRecord, now: StepRecord): string[] {
  const { id } = before;
  const names = [...new Set([...Object.keys(before.outputs), ...Object.keys(now.outputs)])];
  const outputs = names.filter((name) => before.outputs[name] !== now.outputs[name]);
  const found = changeDifferences(before, now);
  if (before.status !== now.status) found.push(`step ${id} is ${now.status} now, and was ${before.status}`);
  if (outputs.length > 0) found.push(`step ${id} now has other outputs: ${outputs.join(', ')}`);
  return found;
}

function changeDifferences({ id, changes }: StepRecord, now: StepRecord): string[] {
  const left = [...now.changes];
  const found: string[] = [];
  for (const change of changes) {
    const index = left.findIndex(({ text }) => text === change.text);
    const [same] = index < 0 ? [] : left.splice(index, 1);
    if (same === undefined) found.push(`step ${id} would no longer ${change.text}`);
    else if (same.before !== change.before)
      found.push(`step ${id} would ${change.text}, but what is there has changed`);
    else if (same.content !== change.content) found.push(`step ${id} would ${change.text} with other content`);
  }
  return [...found, ...left.map(({ text }) => `step ${id} would also ${text}`)];
}
