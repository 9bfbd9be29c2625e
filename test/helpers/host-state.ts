import type { Host } from '../../engine/host/host.ts';
import type { MemoryHost } from '../../engine/testing/memory-host.ts';

export const SIGNAL = new AbortController().signal;
export const CANARY = 'canary-51c0';
export const textOf = async (host: Host, path: string): Promise<string | undefined> =>
  (await host.read<'file'>({ kind: 'file', path }, SIGNAL))?.toString();
/** Writes a file past the run, with the directories above it. */
export async function write(host: Host, path: string, text: string, mode = 0o644): Promise<void> {
  const parents = path
    .split('/')
    .slice(0, -1)
    .map((_, index, parts) => parts.slice(0, index + 1).join('/'));
  for (const parent of parents.slice(1))
    if ((await host.read<'stat'>({ kind: 'stat', path: parent }, SIGNAL)) === undefined)
      await host.apply({ kind: 'directory', path: parent, mode: 0o755 }, SIGNAL);
  await host.apply({ kind: 'file', path, content: Buffer.from(text), mode, secret: false }, SIGNAL);
}
export const isThere = async (host: Host, path: string): Promise<boolean> =>
  (await host.read<'stat'>({ kind: 'stat', path }, SIGNAL)) !== undefined;
export const isActive = async (host: Host): Promise<boolean> =>
  (await host.read<'service'>({ kind: 'service', name: 'kubelet' }, SIGNAL)).active;
/** The changes of the machine from now on: `stop kubelet`, `file /etc/a`. */
export function watched(host: MemoryHost): () => string[] {
  host.changes.length = 0;
  return () =>
    host.changes.map((change) => {
      if (change.kind === 'service') return `${change.action} ${change.name}`;
      if (change.kind === 'command') return `run ${change.argv.join(' ')}`;
      return 'path' in change ? `${change.kind} ${change.path}` : change.kind;
    });
}
