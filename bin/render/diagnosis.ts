/** The findings of `join doctor`: text, and the document that schemas/diagnosis.schema.json describes. */
import { defined, printable } from '../../engine/sdk/index.ts';
import type { LiveStatus } from './runs.ts';

export interface Finding {
  check: string;
  state: 'ok' | 'note' | 'problem' | 'unknown';
  what: string;
  next?: string;
}

const SIGN = { ok: '✓', note: '·', problem: '✗', unknown: '?' } as const;

/**
 * The suggestion for the first problem, because the others may follow from it. The state of the run is only a symptom,
 * so it comes last.
 */
export function nextOf(findings: readonly Finding[]): string | undefined {
  const problems = findings.filter(({ state, next }) => state === 'problem' && next !== undefined);
  const first = problems.find(({ check }) => check !== 'run') ?? problems[0];
  return (first ?? findings.find(({ next }) => next !== undefined))?.next;
}

export const isHealthy = (findings: readonly Finding[]): boolean => findings.every(({ state }) => state !== 'problem');

export function diagnosisText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, state, what, next }) => [
    `${SIGN[state]} ${check.padEnd(width)}  ${what.replaceAll('\n', ' ')}`,
    ...(next === undefined ? [] : [`${' '.repeat(width + 4)}→ ${next.replaceAll('\n', `\n${' '.repeat(width + 6)}`)}`]),
  ]);
  const next = nextOf(findings);
  return printable(
    [...lines, ...(next === undefined ? [] : ['', `Next: ${next.replaceAll('\n', `\n${' '.repeat(6)}`)}`])].join('\n'),
  );
}

export interface DiagnosedMachine {
  findings: readonly Finding[];
  /** The run in progress, or else the newest one. */
  run: { id: string; status: LiveStatus | 'unreadable' } | undefined;
  /** As the phase `doctor` outputs it. */
  node: object | undefined;
}

export function diagnosisDocument({ findings, run, node }: DiagnosedMachine): object {
  return defined({
    apiVersion: 'joinery.dev/v1',
    kind: 'Diagnosis',
    healthy: isHealthy(findings),
    run,
    node,
    findings,
    next: nextOf(findings),
  });
}
