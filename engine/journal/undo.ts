/** Undoes the changes that a run made to this machine, and records each. */
import type { StepChange } from '../host/changes/index.ts';
import type { UndoOutcome } from '../host/changes/kind.ts';
import { ChangeUndo, undoOrder } from '../host/changes/undo.ts';
import { temporaryName } from '../host/disk.ts';
import type { Host } from '../host/host.ts';
import { reasonOf } from '../limits/errno.ts';
import type { Journal } from './journal.ts';

/** One change that an undo has processed. */
export interface UndoItem extends UndoOutcome {
  step: string;
  change: StepChange;
}

export interface UndoChangesOptions {
  journal: Journal;
  host: Host;
  /** Also restore paths that have changed since the run. */
  overwrite: boolean;
  signal: AbortSignal;
  onItem: (item: UndoItem) => void;
}

/** Undoes every change that is not undone yet, and continues after a refusal or a failure. */
export async function undoChanges({ journal, host, overwrite, signal, onItem }: UndoChangesOptions): Promise<void> {
  const { changes } = journal.history();
  const image = (number: number) => journal.image(number);
  const original = (number: number) => journal.original(number);
  const changeUndo = new ChangeUndo({ host, signal, changes, image, original, overwrite });
  for (const item of undoOrder(changes.filter(({ undone }) => !undone))) {
    signal.throwIfAborted();
    const outcome = await changeUndo.undo(item).catch((error: unknown): UndoOutcome => {
      signal.throwIfAborted();
      return { outcome: 'failed', why: reasonOf(error) };
    });
    if (outcome.outcome === 'restored' || outcome.outcome === 'stays') await journal.undone({ change: item.seq });
    else changeUndo.noteFailure();
    onItem({ step: item.step, change: item.change, ...outcome });
  }
}

/** Removes the temporary files of changes that were interrupted when the process of a run was killed. */
export async function removeTemporaryFiles(journal: Journal, host: Host): Promise<void> {
  const paths = journal.history().changes.flatMap(({ change }) => ('path' in change ? [change.path] : []));
  const { signal } = new AbortController();
  for (const path of new Set(paths)) await host.apply({ kind: 'remove', path: temporaryName(path) }, signal);
}
