/** Runs a plan on the recording host, and collects what a run would change. */
import type { Plan } from '../../engine/pipeline/plan.ts';
import { run } from '../../engine/run/run.ts';
import type { MachineSession } from '../compose.ts';
import { type PlannedResult, plannedChanges, waitCollector } from '../render/planned.ts';
import { type WatchOptions, watch } from './watch.ts';

export interface DryRunOptions extends Pick<WatchOptions, 'output' | 'isQuiet' | 'hint'> {
  plan: Plan;
}

/** The session must be one of a dry run. */
export async function dryRun(
  { host, machine }: MachineSession,
  { plan, ...options }: DryRunOptions,
): Promise<PlannedResult> {
  const collector = waitCollector();
  const { result } = await watch({ ...options, log: undefined }, ({ onEvent, signal, keepSignal }) =>
    run({
      plan,
      host,
      signal,
      keepSignal,
      onFailure: 'keep',
      onCancel: 'undo',
      onEvent(event) {
        collector.onEvent(event);
        onEvent(event);
      },
    }),
  );
  return { result, plan, changes: await plannedChanges(result, machine), waits: collector.waits };
}
