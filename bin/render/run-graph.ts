/** The picture of a run: the steps of its pipeline, each with its outcome. */
import type { History, StepHistory } from '../../engine/journal/history.ts';
import type { GraphNode, GraphOutcome } from './graph.ts';
import { seconds } from './text.ts';

const COLOURS: Readonly<Record<StepHistory['status'], GraphOutcome['colour']>> = {
  succeeded: 'good',
  failed: 'bad',
  'undo-failed': 'bad',
  'failed-allowed': 'warning',
  cancelled: 'warning',
  interrupted: 'warning',
  undoing: 'warning',
  undone: 'warning',
  undecided: 'idle',
  skipped: 'idle',
};

export const withOutcomes = (nodes: readonly GraphNode[], { steps }: History): GraphNode[] =>
  nodes.map((node) => ({ ...node, outcome: outcomeOf(steps.get(node.id)) }));

/** The phase of a run that had no pipeline. */
export const phaseNodes = ({ steps }: History): GraphNode[] =>
  [...steps].map(([id, { phase }]) => ({ id, phase, after: [], kind: 'step', isRetried: false }));

function outcomeOf(step: StepHistory | undefined): GraphOutcome {
  if (step === undefined) return { colour: 'idle', text: 'not started' };
  const { status, attempts, durationMs, error } = step;
  const facts = [
    status,
    ...(error === undefined ? [] : [error.code]),
    ...(attempts > 1 ? [`${attempts} attempts`] : []),
    ...(attempts > 0 && status === 'succeeded' ? [seconds(durationMs)] : []),
  ];
  return { colour: COLOURS[status], text: facts.join(', ') };
}
