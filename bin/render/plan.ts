/** A dry run as a plan: text, and the document that schemas/plan.schema.json describes. */

import { changeText, type StepChange, subjectOf } from '../../engine/host/changes/index.ts';
import type { Host } from '../../engine/host/host.ts';
import type { Plan } from '../../engine/pipeline/plan.ts';
import type { RunResult, StepResult } from '../../engine/run/run.ts';
import { defined, describeEffect, printable } from '../../engine/sdk/index.ts';
import { errorDocument } from './json.ts';
import { noteLines, octal, outputLines, SIGN } from './text.ts';

/** A change of a file comes with its unified diff. `unrestored`: what an undo of the change does not restore. */
export type PlannedChange = StepChange & { owner?: { uid: number; gid: number }; diff?: string; unrestored?: string };

export interface PlannedResult {
  result: RunResult;
  plan: Plan;
  /** By step, in order. */
  changes: ReadonlyMap<string, readonly PlannedChange[]>;
  waits: ReadonlyMap<string, readonly string[]>;
}

/** Compares each file with the one on disk or, if it is written twice, with what was written before. */
export async function plannedChanges(result: RunResult, machine: Host): Promise<Map<string, PlannedChange[]>> {
  const { createTwoFilesPatch } = await import('diff');
  const written = new Map<string, string>();
  const diffOf = async ({ path, content = '', action }: FileChange): Promise<string> => {
    const earlier = written.get(path);
    const there = earlier === undefined && action === 'replace' ? await contentAt(machine, path) : earlier;
    written.set(path, content);
    const from = action === 'create' ? '/dev/null' : `${path}${there === undefined ? ' (not world-readable)' : ''}`;
    return createTwoFilesPatch(from, path, there ?? '', content, '', '')
      .split('\n')
      .filter((line) => !/^(Index: |=)/.test(line))
      .map((line) => (/^(---|\+\+\+) /.test(line) ? line.trimEnd() : line))
      .join('\n');
  };
  const planned = new Map<string, PlannedChange[]>();
  for (const { id, changes } of result.steps) {
    const list: PlannedChange[] = [];
    for (const change of changes) {
      const { owner = OWN_IDS } = change.kind === 'file' ? change : {};
      const unrestored = await unrestoredBy(change, machine);
      const planned: PlannedChange = { ...change, ...defined({ unrestored }) };
      if (change.kind !== 'file') list.push(planned);
      else if (change.content === undefined) list.push({ ...planned, owner });
      else list.push({ ...planned, owner, diff: await diffOf(change) });
      if (change.kind === 'remove') written.delete(change.path);
    }
    planned.set(id, list);
  }
  return planned;
}

type FileChange = Extract<StepChange, { kind: 'file' }>;

/** The content of a world-readable file. Any other file may hold secrets. */
async function contentAt(machine: Host, path: string): Promise<string | undefined> {
  const { signal } = new AbortController();
  const there = await machine.read<'stat'>({ kind: 'stat', path }, signal);
  if (there?.kind !== 'file' || (there.mode & 0o004) === 0) return undefined;
  return (await machine.read<'file'>({ kind: 'file', path }, signal))?.toString('utf8');
}

/** Nothing is lost of a path that does not exist yet. */
async function unrestoredBy(change: StepChange, machine: Host): Promise<string | undefined> {
  if (change.kind === 'remove-tree') return 'all of it';
  if (change.kind !== 'file' && change.kind !== 'link' && change.kind !== 'remove') return undefined;
  return machine.read<'unrestored'>({ kind: 'unrestored', path: change.path }, new AbortController().signal);
}

/** New files belong to the user of this process. */
const OWN_IDS = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

/** Outputs that only the run reveals. A step that does nothing has none. */
function knownAfterRun(step: StepResult, { plan, changes, waits }: PlannedResult): string[] {
  const phase = phaseOf(step, plan);
  if ((changes.get(step.id) ?? []).length === 0 && (waits.get(step.id) ?? []).length === 0) return [];
  return Object.entries(phase?.output.properties ?? {}).flatMap(([name, schema]) =>
    schema['x-known'] === 'after-run' ? [name] : [],
  );
}

const phaseOf = ({ id }: StepResult, { steps, finally: last }: Plan) =>
  [...steps, ...(last?.steps ?? [])].find((step) => step.id === id)?.phase;

/** Why the changes of a step cannot be undone, and what an undo loses. */
function irreversibleOf(step: StepResult, { plan, changes }: PlannedResult): string[] {
  const planned = changes.get(step.id) ?? [];
  const whole = phaseOf(step, plan)?.irreversible;
  const own = planned.flatMap((change) => {
    const why = 'irreversible' in change ? change.irreversible : undefined;
    // A reason for the whole step includes what a single change would lose.
    const lost = why ?? (whole === undefined ? change.unrestored : undefined);
    return lost === undefined ? [] : [`${subjectOf(change)}: ${lost}`];
  });
  return [...(whole !== undefined && planned.length > 0 ? [whole] : []), ...own];
}

export function planDocument(planned: PlannedResult): object {
  const { result, plan } = planned;
  const { environments = [] } = plan.source;
  const { nodeName } = plan.inputs;
  return defined({
    apiVersion: 'joinery.dev/v1',
    kind: 'Plan',
    pipeline: result.pipeline,
    environments: environments.map(({ name }) => name),
    status: result.status,
    nodeName: typeof nodeName === 'string' ? nodeName : undefined,
    notes: plan.notes,
    steps: result.steps.map((step) => stepDocument(step, planned)),
    error: errorDocument(result.error),
  });
}

function stepDocument(step: StepResult, planned: PlannedResult): object {
  const { plan, changes, waits } = planned;
  const { id, status, notes, error } = step;
  const phase = phaseOf(step, plan);
  return defined({
    id,
    phase: step.phase,
    summary: phase?.summary ?? '',
    needs: plan.steps.find((each) => each.id === id)?.needs ?? [],
    status,
    notes,
    changes: changes.get(id) ?? [],
    waits: waits.get(id) ?? [],
    irreversible: irreversibleOf(step, planned),
    knownAfterRun: knownAfterRun(step, planned),
    may: status === 'undecided' ? (phase?.effects ?? []).map(describeEffect) : undefined,
    error: errorDocument(error),
  });
}

export function planText(planned: PlannedResult): string {
  const { result, plan } = planned;
  const { environments = [] } = plan.source;
  const overlays = environments.length === 0 ? '' : ` with ${environments.map(({ name }) => name).join(', ')}`;
  return printable(
    [
      `Plan for ${result.pipeline}${overlays}. Nothing was changed.`,
      ...noteLines(plan),
      ...result.steps.flatMap((step) => stepText(step, planned)),
    ].join('\n'),
  );
}

function stepText(step: StepResult, planned: PlannedResult): string[] {
  const { plan, changes, waits } = planned;
  const phase = phaseOf(step, plan);
  const lines = [`${SIGN[step.status]} ${step.id}: ${phase?.summary ?? step.phase}`];
  for (const { level, text } of step.notes) lines.push(`    ${level === 'warn' ? '! ' : ''}${text}`);
  if (step.status === 'undecided')
    lines.push(
      '    its changes are known only during the run; it may',
      ...(phase?.effects ?? []).map((effect) => `      ${describeEffect(effect)}`),
    );
  else if (step.status !== 'skipped') {
    const own = changes.get(step.id) ?? [];
    if (own.length === 0) lines.push('    no changes');
    for (const change of own) lines.push(...plannedChangeText(change));
    for (const what of waits.get(step.id) ?? []) lines.push(`    would wait for ${what}`);
    for (const why of irreversibleOf(step, planned)) lines.push(`    not undone: ${why}`);
    const later = knownAfterRun(step, planned);
    if (later.length > 0) lines.push(`    known after the run: ${later.join(', ')}`);
  }
  if (plan.steps.length === 1) lines.push(...outputLines(step.outputs));
  return lines;
}

function plannedChangeText(change: PlannedChange): string[] {
  if (change.kind !== 'file') return [`    would ${changeText(change)}`];
  const { owner, diff = '' } = change;
  const whose = owner === undefined ? '' : `, owner ${owner.uid}:${owner.gid}`;
  const secret = change.content === undefined ? ', secret' : '';
  const first = `    would ${change.action} ${change.path} (${octal(change.mode)})${secret}${whose}`;
  const hunks = diff.split('\n').filter((line) => line !== '' && !/^(---|\+\+\+|\\) ?/.test(line));
  return [first, ...hunks.map((line) => `        ${line}`)];
}
