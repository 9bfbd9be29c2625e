/** What a dry run found: the changes of each step, what it would wait for, and what cannot be undone. */
import { type StepChange, subjectOf } from '../../engine/host/changes/index.ts';
import type { Host } from '../../engine/host/host.ts';
import type { Plan } from '../../engine/pipeline/plan.ts';
import type { RunEvent, RunResult, StepResult } from '../../engine/run/run.ts';
import { type AnyPhase, defined } from '../../engine/sdk/index.ts';

/** A change of a file comes with its unified diff. `unrestored`: what an undo of the change does not restore. */
export type PlannedChange = StepChange & { owner?: { uid: number; gid: number }; diff?: string; unrestored?: string };

export interface PlannedResult {
  result: RunResult;
  plan: Plan;
  /** By step, in order. */
  changes: ReadonlyMap<string, readonly PlannedChange[]>;
  waits: Waits;
}

/** What each step would wait for. */
export type Waits = ReadonlyMap<string, StepWaits>;

interface StepWaits {
  whats: readonly string[];
  /** Notes from this one on rest on a stand-in, so they are assumptions. */
  firstAssumed: number;
}

/** Collects the waits of a dry run from its events. */
export function waitCollector(): { waits: Waits; onEvent(event: RunEvent): void } {
  const waits = new Map<string, { whats: string[]; firstAssumed: number }>();
  const notes = new Map<string, number>();
  const waitsIn = (step: string) => {
    const known = waits.get(step) ?? { whats: [], firstAssumed: Number.POSITIVE_INFINITY };
    waits.set(step, known);
    return known;
  };
  return {
    waits,
    onEvent(event) {
      if (event.type === 'step.started') {
        notes.set(event.step, 0); // the notes of an earlier attempt are dropped
        waits.delete(event.step);
      } else if (event.type === 'step.log') {
        const index = notes.get(event.step) ?? 0;
        notes.set(event.step, index + 1);
        if (event.assumed) waitsIn(event.step).firstAssumed = Math.min(waitsIn(event.step).firstAssumed, index);
      } else if (event.type === 'step.wait') waitsIn(event.step).whats.push(event.what);
    },
  };
}

type FileChange = Extract<StepChange, { kind: 'file' }>;

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

/** The content of a world-readable file. Any other file may hold secrets. */
async function contentAt(machine: Host, path: string): Promise<string | undefined> {
  const { signal } = new AbortController();
  const there = await machine.read<'stat'>({ kind: 'stat', path }, signal);
  if (there?.kind !== 'file' || (there.mode & 0o004) === 0) return undefined;
  return (await machine.read<'file'>({ kind: 'file', path }, signal))?.toString('utf8');
}

async function unrestoredBy(change: StepChange, machine: Host): Promise<string | undefined> {
  if (change.kind === 'remove-tree') return 'all of it';
  if (change.kind !== 'file' && change.kind !== 'link' && change.kind !== 'remove') return undefined;
  return machine.read<'unrestored'>({ kind: 'unrestored', path: change.path }, new AbortController().signal);
}

/** New files belong to the user of this process. */
const OWN_IDS = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

export const changesOf = ({ id }: StepResult, { changes }: PlannedResult): readonly PlannedChange[] =>
  changes.get(id) ?? [];

export const waitsOf = ({ id }: StepResult, { waits }: PlannedResult): readonly string[] => waits.get(id)?.whats ?? [];

/** The notes of a step, without assumptions: those that rest on a wait which only a real run ends. */
export function factsOf({ id, notes }: StepResult, { waits }: PlannedResult): StepResult['notes'] {
  const facts = waits.get(id)?.firstAssumed ?? notes.length;
  return notes.flatMap(({ level, text }, index) => {
    if (index < facts) return [{ level, text }];
    return level === 'warn' ? [{ level, text: `(assumed) ${text}` }] : [];
  });
}

export const phaseOf = ({ id }: StepResult, { steps, finally: last }: Plan): AnyPhase | undefined =>
  [...steps, ...(last?.steps ?? [])].find((step) => step.id === id)?.phase;

/** Outputs that only the run reveals. A step that does nothing has none. */
export function knownAfterRun(step: StepResult, planned: PlannedResult): string[] {
  if (changesOf(step, planned).length === 0 && waitsOf(step, planned).length === 0) return [];
  return Object.entries(phaseOf(step, planned.plan)?.output.properties ?? {}).flatMap(([name, schema]) =>
    schema['x-known'] === 'after-run' ? [name] : [],
  );
}

/** Why the changes of a step cannot be undone, and what an undo of them loses. */
export function irreversibleOf(step: StepResult, planned: PlannedResult): string[] {
  const changes = changesOf(step, planned);
  const whole = phaseOf(step, planned.plan)?.irreversible;
  const own = changes.flatMap((change) => {
    // A reason for the whole step includes what a single change would lose.
    const why = reasonOf(change) ?? (whole === undefined ? change.unrestored : undefined);
    return why === undefined ? [] : [`${subjectOf(change)}: ${why}`];
  });
  return [...(whole !== undefined && changes.length > 0 ? [whole] : []), ...own];
}

const reasonOf = (change: PlannedChange): string | undefined =>
  'irreversible' in change ? change.irreversible : undefined;

/** Changes of these kinds leave nothing from which the journal could restore the machine. */
const UNRESTORED: ReadonlySet<PlannedChange['kind']> = new Set(['remove-tree', 'unmount', 'pod-sandbox']);

/** Whether neither the journal nor the phase can undo the change. */
export function isIrreversible(change: PlannedChange, phase: AnyPhase | undefined): boolean {
  if (UNRESTORED.has(change.kind) || reasonOf(change) !== undefined) return true;
  const isElsewhere = change.kind === 'api' || change.kind === 'http' || change.kind === 'etcd-member';
  return isElsewhere && (phase?.undo === undefined || phase.irreversible !== undefined);
}
