/** A journal → the plan that takes its run back: the steps that began, with the inputs that they had. */

import { durationMs } from '../documents/durations.ts';
import { approvalPhase } from '../pipeline/approval.ts';
import type { Plan } from '../pipeline/plan.ts';
import { DEFAULT_TIMEOUT } from '../pipeline/planned-step.ts';
import type { Registry } from '../pipeline/registry.ts';
import type { HostFacts } from '../sdk/ports.ts';
import type { Journal } from './journal.ts';

/** E_PHASE_UNKNOWN for a phase that is not installed any more. Steps in `skip` leave what they have outside the machine. */
export function planOfHistory(journal: Journal, registry: Registry, skip: readonly string[], host: HostFacts): Plan {
  const { start, steps } = journal.history();
  const begun = [...steps].filter(
    ([id, { status }]) => status !== 'undone' && status !== 'skipped' && !skip.includes(id),
  );
  return {
    pipeline: start.pipeline,
    source: start.source,
    steps: begun.map(([id, { phase, input }]) => ({
      id,
      phase: phase === approvalPhase.name ? approvalPhase : registry.get(phase),
      needs: [],
      reads: [],
      with: { kind: 'literal', value: journal.reveal(input).value },
      timeoutMs: durationMs(DEFAULT_TIMEOUT),
      retry: { attempts: 1, initialMs: 0, factor: 1, capMs: 0 },
    })),
    inputs: journal.reveal(start.inputs).value as Record<string, unknown>,
    ...{ host, notes: [] },
  };
}
