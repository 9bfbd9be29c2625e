/** Undoes the changes that a run made to this machine, and records each. */
import type { StepChange } from '../host/changes/index.ts';
import type { UndoOutcome } from '../host/changes/kind.ts';
import { ChangeUndo, type RunChange, undoOrder } from '../host/changes/undo.ts';
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
  /** Steps whose changes stay if they cannot be restored. Their commands are not undone. */
  skip: readonly string[];
  signal: AbortSignal;
  onItem: (item: UndoItem) => void;
}

/** Undoes every change that is not undone yet, and continues after a refusal or a failure. */
export async function undoChanges(options: UndoChangesOptions): Promise<void> {
  const { journal, host, overwrite, skip, signal, onItem } = options;
  const { changes } = journal.history();
  const image = (number: number) => journal.image(number);
  const original = (number: number) => journal.original(number);
  const changeUndo = new ChangeUndo({ host, signal, changes, image, original, overwrite });
  for (const item of undoOrder(changes.filter(({ undone }) => !undone))) {
    signal.throwIfAborted();
    const isSkipped = skip.includes(item.step);
    const isOfPhase = item.before.kind === 'command' || item.before.kind === 'phase';
    const outcome = isSkipped && isOfPhase ? SKIPPED : await attemptUndo(changeUndo, item, signal);
    const final = isSkipped && !isOver(outcome) ? { ...outcome, outcome: 'stays' as const } : outcome;
    if (isOver(final))
      await journal.undone({ change: item.seq, ...(final.outcome === 'stays' ? { stays: true } : {}) });
    if (!isOver(outcome)) changeUndo.noteFailure();
    onItem({ step: item.step, change: item.change, ...final });
  }
}

const SKIPPED: UndoOutcome = { outcome: 'stays', why: 'the undo of its step was skipped' };

const isOver = ({ outcome }: UndoOutcome): boolean => outcome === 'restored' || outcome === 'stays';

async function attemptUndo(changeUndo: ChangeUndo, item: RunChange, signal: AbortSignal): Promise<UndoOutcome> {
  try {
    return await changeUndo.undo(item);
  } catch (error) {
    signal.throwIfAborted();
    return { outcome: 'failed', why: reasonOf(error) };
  }
}

/** Removes the temporary files of changes that were interrupted when the process of a run was killed. */
export async function removeTemporaryFiles(journal: Journal, host: Host): Promise<void> {
  const paths = journal.history().changes.flatMap(({ change }) => ('path' in change ? [change.path] : []));
  const { signal } = new AbortController();
  for (const path of new Set(paths)) await host.apply({ kind: 'remove', path: temporaryName(path) }, signal);
}
