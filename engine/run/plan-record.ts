/** What a journal keeps of a plan, and the plan for an undo that is made from a journal. */
import { durationMs } from '../documents/durations.ts';
import type { Host } from '../host/host.ts';
import { Journal } from '../journal/journal.ts';
import { memoryStore } from '../journal/memory.ts';
import { JOURNAL_VERSION, type PluginRecord } from '../journal/records.ts';
import { approvalPhase } from '../pipeline/approval.ts';
import type { Plan } from '../pipeline/plan.ts';
import { DEFAULT_TIMEOUT, type PlannedStep } from '../pipeline/planned-step.ts';
import type { Registry } from '../pipeline/registry.ts';
import type { HostFacts } from '../sdk/ports.ts';

/** The plugins that the steps of a plan come from. */
export function pluginRecords(steps: readonly PlannedStep[]): PluginRecord[] {
  const records = new Map<string, PluginRecord>();
  for (const { id, phase } of steps) {
    if (phase.origin === undefined) continue;
    const { plugin: name, version, folder, integrity, isShipped } = phase.origin;
    const earlier = records.get(name)?.steps ?? [];
    const record = { name, version, folder, integrity, steps: [...earlier, id] };
    records.set(name, isShipped ? { ...record, isShipped } : record);
  }
  return [...records.values()];
}

/**
 * The steps of the run that started, with their inputs. Steps in `skip` keep what they changed outside the machine.
 * E_PHASE_UNKNOWN for a phase that is no longer installed.
 */
export function undoPlan(journal: Journal, registry: Registry, skip: readonly string[], host: HostFacts): Plan {
  const { start, steps } = journal.history();
  const started = [...steps].filter(
    ([id, { status }]) => status !== 'undone' && status !== 'skipped' && !skip.includes(id),
  );
  return {
    pipeline: start.pipeline,
    source: start.source,
    steps: started.map(([id, { phase, input }]) => ({
      id,
      phase: phase === approvalPhase.name ? approvalPhase : registry.get(phase),
      needs: [],
      reads: [],
      with: { kind: 'literal', value: journal.reveal(input).value },
      timeoutMs: durationMs(DEFAULT_TIMEOUT),
      retry: { attempts: 1, initialMs: 0, factor: 1, capMs: 0 },
    })),
    inputs: journal.reveal(start.inputs).value as Record<string, unknown>,
    host,
    notes: [],
  };
}

/** For a run that is neither resumed nor undone later. */
export const journalInMemory = ({ pipeline, source, inputs, steps }: Plan, host: Host): Journal =>
  Journal.begin(memoryStore(), host.now, {
    version: JOURNAL_VERSION,
    id: host.isDry === true ? 'dry-run' : 'unrecorded',
    joinery: '',
    pipeline,
    source,
    inputs,
    host: host.facts,
    steps: steps.map(({ id }) => id),
  });
