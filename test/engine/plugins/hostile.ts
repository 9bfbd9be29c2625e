/** Runs of plugins that misbehave. */
import { type MemoryHost, memoryHost } from '../../../engine/testing/memory-host.ts';
import { runPhase } from '../../../engine/testing/run-phase.ts';
import { type PluginSource, phaseOf } from './folder.ts';

export async function running(source: PluginSource, input: Record<string, unknown> = {}, host: MemoryHost = machine()) {
  const phase = await phaseOf(source);
  const outcome = await runPhase(phase, input, host);
  return { ...outcome, host };
}
export const machine = (): MemoryHost => memoryHost({ directories: ['/etc/acme'] });
export const returning = (value: string): PluginSource => ({ phase: `async run() { ${value} },` });
export const codeOf = async (source: PluginSource, input?: Record<string, unknown>) =>
  ((await running(source, input)).error as { code?: string }).code;
