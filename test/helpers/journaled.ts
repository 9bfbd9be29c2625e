/** Ports that journal their changes like those of a run, and the undo of these changes. */

import { snapshotBefore } from '../../engine/host/changes/index.ts';
import { serviceDataOf } from '../../engine/host/changes/service-data.ts';
import { type Host, readerOf } from '../../engine/host/host.ts';
import { composePorts } from '../../engine/host/ports/index.ts';
import { Journal, type JournalStore } from '../../engine/journal/journal.ts';
import { memoryStore } from '../../engine/journal/memory.ts';
import { type UndoItem, undoChanges } from '../../engine/journal/undo.ts';
import type { Effect, Ports } from '../../engine/sdk/index.ts';

export const SIGNAL = new AbortController().signal;
export const START = {
  version: 1,
  id: '20261124-100000-0000',
  joinery: '0',
  pipeline: 'made',
  inputs: {},
  steps: ['a'],
  source: { kind: 'pipeline', name: 'made', digest: 'made' },
  host: { name: 'w1', privileged: true, architecture: 'amd64', distribution: 'debian' },
} as const;

export function journaled(host: Host, effects: readonly Effect[], store: JournalStore = memoryStore()) {
  const journal = Journal.begin(store, host.now, START);
  const portsOf = (step: string): Ports =>
    composePorts({
      host,
      effects,
      input: {},
      signal: SIGNAL,
      log: () => undefined,
      onChange: () => undefined,
      hasSecret: () => false,
      record: (change, subject) =>
        journal.change(step, change, async () => {
          if (subject === undefined) return { before: { kind: 'none' } };
          return snapshotBefore(subject, {
            read: readerOf(host, SIGNAL),
            serviceData: (service) => serviceDataOf(effects, service),
          });
        }),
      once: (name, make, anew) => (anew ? journal.again(step, name, make) : journal.once(step, name, make)),
    });
  return { journal, ports: portsOf('a'), portsOf };
}

/** Undoes all changes. Returns those that were not restored. */
export async function takenBack(journal: Journal, host: Host, overwrite = false): Promise<UndoItem[]> {
  const items: UndoItem[] = [];
  await undoChanges({ journal, host, overwrite, skip: [], signal: SIGNAL, onItem: (item) => items.push(item) });
  return items.filter(({ outcome }) => outcome !== 'restored');
}
