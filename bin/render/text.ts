/** The result of a run as text for standard output. */
import type { ChangeCounts } from '../../engine/journal/history.ts';
import type { Plan } from '../../engine/pipeline/plan.ts';
import type { RunResult } from '../../engine/run/run.ts';
import { isJoinError, isSecret, printable } from '../../engine/sdk/index.ts';
import { asItIs, type HintText, isResumable } from './continuation.ts';

/** In the time zone of this machine: `2026-11-24 10:59:47 +01:00`. */
export const localTime = (at: string | Date): string =>
  new Date(at).toLocaleString('sv', { dateStyle: 'short', timeStyle: 'medium' }).concat(' ', zoneOf(new Date(at)));

function zoneOf(at: Date): string {
  const minutes = -at.getTimezoneOffset();
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `${minutes < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}:${String(rest).padStart(2, '0')}`;
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 0)} s`;

export const SIGN = {
  succeeded: '✓',
  failed: '✗',
  'failed-allowed': '!',
  cancelled: '■',
  skipped: '-',
  undecided: '?',
  undone: '↶',
  'undo-failed': '✗',
} as const;

export const resultText = (result: RunResult, plan: Plan, hint: HintText = asItIs): string =>
  printable(resultLines(result, plan, hint).join('\n'));

export const noteLines = ({ notes }: Plan): string[] => notes.map((note) => `! ${note}`);

function resultLines(result: RunResult, plan: Plan, hint: HintText): string[] {
  const name = plan.inputs.nodeName;
  const time = seconds(result.durationMs);
  const lines = [
    `${result.pipeline} ${result.status} ${OUTCOME[result.status]} ${time}: ${counted(result)}.`,
    ...noteLines(plan),
  ];
  for (const { id, status, notes, error } of result.steps) {
    if (status === 'undo-failed') lines.push(`${id} could not be undone: ${notes.at(-1)?.text}`);
    if (status === 'failed-allowed') lines.push(`! ${id} failed, which the pipeline allows: ${errorLine(error)}`);
  }
  if (isResumable(result))
    lines.push(`To resume: ${hint(`join resume ${result.id}`)}`, `To undo:   ${hint(`join undo ${result.id}`)}`);
  if (plan.steps.length === 1) lines.push(...outputLines(result.steps[0]?.outputs));
  lines.push(...outputLines(result.outputs));
  if (result.status === 'succeeded' && plan.source.kind === 'pipeline' && typeof name === 'string')
    lines.push(`To see the Node, on a machine with an admin kubeconfig: kubectl get node ${name}`);
  return lines;
}

export const OUTCOME = { succeeded: 'in', failed: 'after', cancelled: 'after' } as const;

export function counted({ status, changes }: Pick<RunResult, 'status' | 'changes'>): string {
  if (changes.made === 0) return status === 'succeeded' ? 'no changes needed' : 'no changes made';
  const isPlain = status === 'succeeded' && changes.undone + changes.kept === 0;
  return isPlain ? changesText(changes.made) : countsText(changes);
}

const changesText = (number: number): string => `${number} change${number === 1 ? '' : 's'}`;

/** By the journal, so that the changes of earlier processes count, too. */
export function countsText({ made, undone, kept }: ChangeCounts): string {
  const words = changesText(made);
  if (undone === made) return `${words}, undone`;
  if (undone + kept === 0) return `${words}, kept`;
  const left = made - undone - kept;
  const parts = [
    ...(undone > 0 ? [`${undone} undone`] : []),
    ...(kept > 0 ? [`${kept} kept`] : []),
    ...(left > 0 ? [`${left} not undone`] : []),
  ];
  return `${words}: ${parts.join(', ')}`;
}

const errorLine = (error: unknown): string => (isJoinError(error) ? `${error.code}: ${error.message}` : String(error));

/** The outputs of a pipeline or of a single phase: one on each line, large ones by their size. */
export const outputLines = (outputs: unknown): string[] =>
  Object.entries((outputs ?? {}) as Record<string, unknown>).map(([name, value]) => {
    return `    ${name} = ${shortened(value)}`;
  });

function shortened(value: unknown): string {
  const isPlain = typeof value !== 'object' || value === null || isSecret(value);
  const text = isPlain ? String(value) : JSON.stringify(value);
  if (text.includes('\n')) return `(${text.trimEnd().split('\n').length} lines)`;
  if (isPlain || text.length <= DOCUMENT_LETTERS_MAX) return text;
  return `(${Object.keys(value).length} ${Array.isArray(value) ? 'items' : 'entries'})`;
}
const DOCUMENT_LETTERS_MAX = 200;

export const octal = (mode: number): string => mode.toString(8).padStart(4, '0');
