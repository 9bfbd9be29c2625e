/** What a change is about to replace, read off the machine just before. */
import { createHash } from 'node:crypto';
import type { Change, Host } from '../host/host.ts';
import { type Effect, pathMatcher } from '../sdk/effects.ts';
import type { Stat } from '../sdk/ports.ts';
import type { Looked } from './journal.ts';
import type { Before } from './records.ts';

export const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** `data` are the patterns of what services write by themselves; see `dataOf`. */
export async function lookBefore(
  host: Host,
  change: Change,
  data: readonly string[],
  signal: AbortSignal,
): Promise<Looked> {
  switch (change.kind) {
    case 'command':
      return { before: change.undo === undefined ? { kind: 'none' } : { kind: 'command', undo: change.undo } };
    case 'service': {
      const { active } = await host.read<'service'>({ kind: 'service', name: change.name }, signal);
      if (change.action !== 'start' && change.action !== 'restart')
        return { before: { kind: 'service', active, data: [], kept: [] } };
      return { before: { kind: 'service', active, data, kept: await existing(host, data, signal) } };
    }
    case 'remove-tree':
    case 'unmount':
    case 'pod-sandbox':
    case 'http':
      return { before: { kind: 'none' } };
    default: {
      const looked = await lookAt(host, change.path, signal);
      return change.kind === 'file' ? { ...looked, after: digestOf(change.content) } : looked;
    }
  }
}

/** What is at `path`, with its bytes where it is a file. */
export async function lookAt(
  host: Host,
  path: string,
  signal: AbortSignal,
): Promise<{ before: Before; image?: Buffer }> {
  const there = await host.read<'stat'>({ kind: 'stat', path }, signal);
  if (there === undefined) return { before: { kind: 'absent' } };
  if (there.kind === 'link') return { before: { kind: 'link', target: there.target ?? '' } };
  const { mode } = there;
  if (there.kind === 'directory') return { before: { kind: 'directory', mode, ...ownerOf(there) } };
  if (there.kind !== 'file') return { before: { kind: 'none' } }; // a socket, say: nobody writes over one
  const image = (await host.read<'file'>({ kind: 'file', path }, signal)) ?? Buffer.alloc(0);
  return { before: { kind: 'file', mode, digest: digestOf(image), ...ownerOf(there) }, image };
}

const ownerOf = ({ uid, gid }: Stat) => (uid === undefined || gid === undefined ? {} : { owner: { uid, gid } });

/** Patterns of what `service` writes by itself, as the phase that starts it declares them. */
export const dataOf = (effects: readonly Effect[], service: string): string[] =>
  effects.flatMap((effect) => (effect.kind === 'service-data' && effect.service === service ? [effect.path] : []));

/** The paths there are that match one of `patterns`, in which `*` stands for any part of one name. */
export async function existing(host: Host, patterns: readonly string[], signal: AbortSignal): Promise<string[]> {
  const found = new Set<string>();
  for (const pattern of patterns) {
    let heads = [''];
    for (const part of pattern.split('/').slice(1)) {
      const next = heads.map(async (head): Promise<string[]> => {
        if (!part.includes('*')) return [`${head}/${part}`];
        const matches = pathMatcher([part], {});
        const names = (await host.read<'list'>({ kind: 'list', path: head === '' ? '/' : head }, signal)) ?? [];
        return names.filter(matches).map((name) => `${head}/${name}`);
      });
      heads = (await Promise.all(next)).flat();
    }
    for (const path of heads)
      if ((await host.read<'stat'>({ kind: 'stat', path }, signal)) !== undefined) found.add(path);
  }
  return [...found].sort();
}
