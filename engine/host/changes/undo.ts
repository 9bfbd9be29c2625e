/** Undoes the changes of one run, each by the rules of its kind. */
import { pathMatcher } from '../../sdk/effects.ts';
import { type Host, readerOf } from '../host.ts';
import { type Before, type Change, describedKindOf, type StepChange } from './index.ts';
import type { JournaledChange, UndoContext, UndoOutcome } from './kind.ts';
import { type RestoreContext, restorePath } from './restore-path.ts';

export type RunChange = JournaledChange<StepChange, Before>;

export interface UndoOptions {
  host: Host;
  signal: AbortSignal;
  /** All changes of the run, in the order in which they were made. */
  changes: readonly RunChange[];
  /** The bytes of a file as they were before the run. */
  image: (number: number) => Promise<Buffer | undefined>;
  /** Where the file itself is kept; undefined if it is not kept. */
  original: (number: number) => string | undefined;
  /** Also restore paths that have changed since the run. */
  overwrite: boolean;
}

export class ChangeUndo {
  readonly #context: UndoContext<Change> & RestoreContext;

  constructor(options: UndoOptions) {
    this.#context = contextOf(options);
  }

  /** Undoes one change. Call it for the last change of a run first, in the order of `undoOrder`. */
  async undo({ change, before }: RunChange): Promise<UndoOutcome> {
    const kind = describedKindOf(change);
    if (before.kind === 'earlier' || before.kind === 'phase') return { outcome: 'restored' };
    if (before.kind === 'none') return { outcome: 'stays', why: kind.whyItStays?.(change) ?? 'it cannot be undone' };
    if (kind.undo !== undefined) return kind.undo({ change, before }, this.#context);
    if (!('path' in change) || before.kind === 'service' || before.kind === 'command')
      throw new Error(`a ${change.kind} has no ${before.kind} before it`);
    return restorePath(change.path, before, this.#context);
  }

  /** After a failure, a directory that is not empty may still hold files of the run. */
  noteFailure(): void {
    this.#context.isPartial = true;
  }
}

/** The order in which changes are undone: latest first, but services start after everything else is restored. */
export function undoOrder<T extends RunChange>(changes: readonly T[]): T[] {
  const rankOf = (item: T): number => describedKindOf(item.change).undoRank?.(item) ?? 0;
  return [...changes].reverse().sort((one, other) => rankOf(one) - rankOf(other));
}

function contextOf({
  host,
  signal,
  changes,
  image,
  original,
  overwrite,
}: UndoOptions): UndoContext<Change> & RestoreContext {
  const changesAt = new Map<string, RunChange[]>();
  const ranBefore = new Map<string, boolean>();
  const data: string[] = [];
  for (const item of changes) {
    const { change, before } = item;
    if ('path' in change) changesAt.set(change.path, [item, ...(changesAt.get(change.path) ?? [])]);
    if (change.kind !== 'service' || before.kind !== 'service') continue;
    data.push(...before.data);
    if (!ranBefore.has(change.name)) ranBefore.set(change.name, before.active);
  }
  return {
    read: readerOf(host, signal),
    apply: (change) => host.apply(change, signal),
    image,
    original,
    overwrite,
    changesAt: (path) => changesAt.get(path) ?? [],
    changedPaths: new Set(changesAt.keys()),
    ranBefore: (name) => ranBefore.get(name) === true,
    isServiceData: pathMatcher(data, {}),
    isPartial: false,
  };
}
