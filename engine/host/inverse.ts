/** The change that takes a change back, read off the machine before it is made. */
import type { Change, Host } from './host.ts';

/** Undefined where there is nothing to take back: the change finds the machine as it wants it, or is irreversible. */
export async function inverseOf(host: Host, change: Change, signal: AbortSignal): Promise<Change | undefined> {
  switch (change.kind) {
    case 'command':
      return change.undo === undefined ? undefined : { ...change, argv: change.undo, undo: undefined };
    case 'service': // the ports only let through what makes a difference
      return change.action === 'reload' ? change : { ...change, action: change.action === 'start' ? 'stop' : 'start' };
    default: {
      const { path } = change;
      const there = await host.read<'stat'>({ kind: 'stat', path }, signal);
      if (there === undefined) return change.kind === 'remove' ? undefined : { kind: 'remove', path };
      if (there.kind === 'link') return { kind: 'link', path, target: there.target ?? '' };
      if (there.kind !== 'file') return undefined;
      const content = (await host.read<'file'>({ kind: 'file', path }, signal)) ?? Buffer.alloc(0);
      return { kind: 'file', path, content, mode: there.mode, secret: true }; // whose it was is not known
    }
  }
}
