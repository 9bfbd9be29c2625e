/** Changes through the ports of a phase, which are journaled and then undone. */
import type { Host } from '../../engine/host/host.ts';
import { Journal } from '../../engine/journal/journal.ts';
import { memoryStore } from '../../engine/journal/memory.ts';
import { type UndoItem, undoChanges } from '../../engine/journal/undo.ts';
import { run } from '../../engine/run/run.ts';
import { controls, type Effect, type Ports, runs, writes } from '../../engine/sdk/index.ts';
import { START } from './journals.ts';
import { planOfSteps } from './plans.ts';

export const ANYTHING: readonly Effect[] = [
  ...['/*', '/*/*', '/*/*/*', '/*/*/*/*'].map((path) => writes(path, undefined, 'x')),
  controls('kubelet', ['start', 'stop', 'reload'], 'x'),
  runs('swapoff', 'x'),
  runs('swapon', 'x'),
];

export const journalInMemory = (): Journal =>
  Journal.begin(memoryStore(), () => new Date(0), { ...START, version: 1, id: '20260304-050607-0000' });

/** The changes of a run of one step, up to the point where `act` failed, if it fails. */
export async function changedBy(
  act: (ports: Ports) => Promise<unknown>,
  host: Host,
  { journal = journalInMemory(), effects = ANYTHING }: { journal?: Journal; effects?: readonly Effect[] } = {},
): Promise<Journal> {
  await run({ plan: planOfSteps({ id: 'a', effects, run: async (ports) => void (await act(ports)) }), host, journal });
  return journal;
}

export async function takenBack(
  journal: Journal,
  host: Host,
  { overwrite = false, signal = new AbortController().signal } = {},
): Promise<UndoItem[]> {
  const items: UndoItem[] = [];
  await undoChanges({ journal, host, overwrite, skip: [], signal, onItem: (item) => items.push(item) });
  return items;
}

/** `restored /etc/a` */
export function inShort({ outcome, change }: UndoItem): string {
  if ('path' in change) return `${outcome} ${change.path}`;
  if (!('action' in change)) return `${outcome} ${change.kind}`;
  return `${outcome} ${change.action} ${'name' in change ? change.name : change.peerUrl}`;
}
