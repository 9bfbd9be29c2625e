/** A dry run as a plan: text, and the document that schemas/plan.schema.json describes. */
import { changeText } from '../../engine/host/changes/index.ts';
import { approvalPhase } from '../../engine/pipeline/approval.ts';
import type { StepResult } from '../../engine/run/run.ts';
import { defined, describeEffect, printable } from '../../engine/sdk/index.ts';
import { errorDocument } from './json.ts';
import { summaryLine } from './plan-summary.ts';
import {
  changesOf,
  factsOf,
  irreversibleOf,
  knownAfterRun,
  type PlannedChange,
  type PlannedResult,
  phaseOf,
  waitsOf,
} from './planned.ts';
import { noteLines, octal, outputLines, SIGN } from './text.ts';

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
    summary: summaryLine(planned),
    nodeName: typeof nodeName === 'string' ? nodeName : undefined,
    notes: plan.notes,
    steps: result.steps.map((step) => stepDocument(step, planned)),
    error: errorDocument(result.error),
  });
}

function stepDocument(step: StepResult, planned: PlannedResult): object {
  const { plan } = planned;
  const { id, status, error } = step;
  const phase = phaseOf(step, plan);
  return defined({
    id,
    phase: step.phase,
    summary: phase?.summary ?? '',
    needs: plan.steps.find((each) => each.id === id)?.needs ?? [],
    status,
    notes: factsOf(step, planned),
    changes: changesOf(step, planned),
    waits: waitsOf(step, planned),
    irreversible: irreversibleOf(step, planned),
    knownAfterRun: knownAfterRun(step, planned),
    may: status === 'undecided' ? (phase?.effects ?? []).map(describeEffect) : undefined,
    error: errorDocument(error),
  });
}

export interface PlanTextOptions {
  /** Whether the text includes the content of files, as diffs. Default: false. */
  diff?: boolean;
}

export function planText(planned: PlannedResult, options: PlanTextOptions = {}): string {
  const { result, plan } = planned;
  const { environments = [] } = plan.source;
  const overlays = environments.length === 0 ? '' : ` with ${environments.map(({ name }) => name).join(', ')}`;
  return printable(
    [
      summaryLine(planned),
      `This was a dry run of ${result.pipeline}${overlays}: nothing was changed.`,
      ...noteLines(plan),
      ...stepBlocks(planned, options),
    ].join('\n'),
  );
}

/** Steps that change nothing share a line with those beside them, unless there is more to say about them. */
function stepBlocks(planned: PlannedResult, options: PlanTextOptions): string[] {
  const lines: string[] = [];
  let alike: { sign: string; ids: string[]; about: string } | undefined;
  const flush = () => {
    if (alike !== undefined) lines.push(`${alike.sign} ${alike.ids.join(', ')}: ${alike.about}`);
    alike = undefined;
  };
  for (const step of planned.result.steps) {
    const about = shortTextOf(step, planned);
    const sign = SIGN[step.status];
    if (about === undefined || alike?.about !== about || alike.sign !== sign) flush();
    if (about === undefined) lines.push(...stepLines(step, planned, options));
    else if (alike === undefined) alike = { sign, ids: [step.id], about };
    else alike.ids.push(step.id);
  }
  flush();
  return lines;
}

/** All there is to say about the step, if it is short. */
function shortTextOf(step: StepResult, planned: PlannedResult): string | undefined {
  const isAlone = planned.result.steps.length === 1 || step.phase === approvalPhase.name;
  if (isAlone || step.notes.some(({ level }) => level === 'warn')) return undefined;
  if (step.status === 'skipped') return 'skipped';
  const changes = changesOf(step, planned);
  return step.status === 'succeeded' && changes.length === 0 ? unchangedText(step, planned) : undefined;
}

/** If no step changes anything, each wait is for what is already there. */
function unchangedText(step: StepResult, planned: PlannedResult): string {
  const waits = planned.result.steps.some((each) => changesOf(each, planned).length > 0) ? waitsOf(step, planned) : [];
  return ['no changes', ...waits.map((what) => `would wait for ${what}`)].join(', ');
}

function stepLines(step: StepResult, planned: PlannedResult, { diff = false }: PlanTextOptions): string[] {
  const { plan } = planned;
  const phase = phaseOf(step, plan);
  const changes = changesOf(step, planned);
  const lines = [`${SIGN[step.status]} ${step.id}: ${phase?.summary ?? step.phase}`];
  for (const { level, text } of factsOf(step, planned)) lines.push(`    ${level === 'warn' ? '! ' : ''}${text}`);
  const effects = phase?.effects ?? [];
  if (step.status === 'undecided' && effects.length > 0)
    lines.push(
      '    its changes are known only during the run; it may',
      ...effects.map((effect) => `      ${describeEffect(effect)}`),
    );
  else if (step.status !== 'skipped') {
    if (changes.length === 0) lines.push('    no changes');
    for (const change of changes) lines.push(...changeLines(change, diff ? 'with-diff' : 'short'));
    for (const what of waitsOf(step, planned)) lines.push(`    would wait for ${what}`);
    for (const why of irreversibleOf(step, planned)) lines.push(`    not undone: ${why}`);
    const later = knownAfterRun(step, planned);
    if (later.length > 0) lines.push(`    known after the run: ${later.join(', ')}`);
  }
  if (plan.steps.length === 1) lines.push(...outputLines(step.outputs));
  return lines;
}

function changeLines(change: PlannedChange, form: 'short' | 'with-diff'): string[] {
  if (change.kind !== 'file') return [`    would ${changeText(change)}`];
  const { owner, diff = '' } = change;
  const whose = owner === undefined ? '' : `, owner ${owner.uid}:${owner.gid}`;
  const secret = change.content === undefined ? ', secret' : '';
  const first = `    would ${change.action} ${change.path} (${octal(change.mode)})${secret}${whose}`;
  const hunks = diff.split('\n').filter((line) => line !== '' && !/^(---|\+\+\+|\\) ?/.test(line));
  return form === 'short' ? [first] : [first, ...hunks.map((line) => `        ${line}`)];
}
