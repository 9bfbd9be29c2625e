/** Runs of plugins that misbehave. */
import { type MemoryHost, memoryHost } from '../../../engine/testing/memory-host.ts';
import { runPhase } from '../../../engine/testing/run-phase.ts';
import { type PluginSource, phaseOf } from './folder.ts';

export async function running(made: PluginSource, input: Record<string, unknown> = {}, host: MemoryHost = machine()) {
  const phase = await phaseOf(made);
  const outcome = await runPhase(phase, input, host);
  return { ...outcome, host };
}
export const machine = (): MemoryHost => memoryHost({ directories: ['/etc/acme'] });
export const returning = (value: string): PluginSource => ({ phase: `async run() { ${value} },` });
export const codeOf = async (made: PluginSource, input?: Record<string, unknown>) =>
  ((await running(made, input)).error as { code?: string }).code;
