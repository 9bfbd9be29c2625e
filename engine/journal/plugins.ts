/** Which plugins the steps of a plan come from, as its journal tells it. */
import type { PlannedStep } from '../pipeline/planned-step.ts';
import type { PluginRecord } from './records.ts';

export function pluginsOf(steps: readonly PlannedStep[]): PluginRecord[] {
  const found = new Map<string, PluginRecord>();
  for (const { id, phase } of steps) {
    if (phase.origin === undefined) continue;
    const { plugin: name, version, folder, integrity, isShipped } = phase.origin;
    const before = found.get(name)?.steps ?? [];
    found.set(name, {
      ...{ name, version, folder, integrity, steps: [...before, id] },
      ...(isShipped ? { isShipped } : {}),
    });
  }
  return [...found.values()];
}
