/** Runs of plugins that misbehave. */
import { type MemoryHost, memoryHost } from '../../../engine/testing/memory-host.ts';
import { runPhase } from '../../../engine/testing/run-phase.ts';
import { type MadePlugin, phaseOf } from './folder.ts';

export async function running(made: MadePlugin, input: Record<string, unknown> = {}, host: MemoryHost = machine()) {
  const phase = await phaseOf(made);
  const outcome = await runPhase(phase, input, host);
  return { ...outcome, host };
}
export const machine = (): MemoryHost => memoryHost({ directories: ['/etc/acme'] });
export const returning = (value: string): MadePlugin => ({ phase: `async run() { ${value} },` });
export const codeOf = async (made: MadePlugin, input?: Record<string, unknown>) =>
  ((await running(made, input)).error as { code?: string }).code;
