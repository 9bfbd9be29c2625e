/** The result of a run as text for standard output. */
import type { Plan } from '../../engine/pipeline/plan.ts';
import type { RunResult } from '../../engine/run/run.ts';
import { isSecret, printable } from '../../engine/sdk/index.ts';

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

export const resultText = (result: RunResult, plan: Plan): string => printable(resultLines(result, plan).join('\n'));

export const noteLines = ({ notes }: Plan): string[] => notes.map((note) => `! ${note}`);

function resultLines(result: RunResult, plan: Plan): string[] {
  const changes = result.steps.flatMap((step) => step.changes).length;
  const name = plan.inputs.nodeName;
  const time = seconds(result.durationMs);
  const lines = [
    `${result.pipeline} ${result.status} ${OUTCOME[result.status]} ${time}: ${counted(result, changes)}.`,
    ...noteLines(plan),
  ];
  for (const { id, status, notes } of result.steps)
    if (status === 'undo-failed') lines.push(`${id} could not be undone: ${notes.at(-1)?.text}`);
  if (result.status !== 'succeeded' && result.id !== undefined && !isUndone(result))
    lines.push(`To resume: join resume ${result.id}`, `To undo:   join undo ${result.id}`);
  if (plan.steps.length === 1) lines.push(...outputLines(result.steps[0]?.outputs));
  lines.push(...outputLines(result.outputs));
  if (result.status === 'succeeded' && plan.source.kind === 'pipeline' && typeof name === 'string')
    lines.push(`To see the Node, on a machine with an admin kubeconfig: kubectl get node ${name}`);
  return lines;
}

const OUTCOME = { succeeded: 'in', failed: 'after', cancelled: 'after' } as const;

function counted({ status, steps }: RunResult, changes: number): string {
  if (changes === 0) return status === 'succeeded' ? 'no changes needed' : 'no changes made';
  const words = `${changes} change${changes === 1 ? '' : 's'}`;
  if (isUndone({ steps })) return `${words}, undone`;
  return status === 'succeeded' ? words : `${words}, kept`;
}

const isUndone = ({ steps }: Pick<RunResult, 'steps'>): boolean =>
  steps.some((step) => step.status === 'undone') && steps.every((step) => step.status !== 'undo-failed');

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
