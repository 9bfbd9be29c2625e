/** The state of the paths and services that a phase changes. */
import type { Change } from '../host/changes/index.ts';
import type { Host } from '../host/host.ts';

const SIGNAL = new AbortController().signal;

/** The path or the service of a change; undefined for a change whose effect cannot be read. */
export function keyOf(change: Change): string | undefined {
  if ('path' in change) return change.path;
  return change.kind === 'service' ? `service ${change.name}` : undefined;
}

export const keysOf = (changes: readonly Change[]): string[] => [
  ...new Set(changes.map(keyOf).filter((key) => key !== undefined)),
];

/** The content and the attributes of each path, and whether each service is running, enabled and masked. */
export async function stateOf(host: Host, keys: readonly string[]): Promise<Map<string, unknown>> {
  const states = new Map<string, unknown>();
  for (const key of keys)
    if (key.startsWith('service ')) {
      const name = key.slice('service '.length);
      const { active, enabled, masked = false } = await host.read<'service'>({ kind: 'service', name }, SIGNAL);
      states.set(key, { active, enabled, masked });
    } else {
      const content = await host.read<'file'>({ kind: 'file', path: key }, SIGNAL);
      states.set(key, [await host.read<'stat'>({ kind: 'stat', path: key }, SIGNAL), content?.toString()]);
    }
  return states;
}
