/** Undoes changes of paths: restores the snapshot from before the run. */

import { fail } from '../../sdk/errors.ts';
import { temporaryName } from '../disk.ts';
import type { Read } from '../query.ts';
import type { DirectoryChange } from './directory.ts';
import type { FileChange } from './file.ts';
import { describedKindOf, type StepChange } from './index.ts';
import type { JournaledChange, UndoOutcome } from './kind.ts';
import type { LinkChange } from './link.ts';
import { digestOf, isInTheWay, isSame, type PathBefore, snapshotOf, snapshotText } from './path-snapshot.ts';
import type { RemoveChange } from './remove.ts';

const READ_BY_ALL = 0o004;
const DIFF_LINES_MAX = 60;
const NAMES_MAX = 5;

export interface RestoreContext {
  read: Read;
  apply(change: FileChange | DirectoryChange | LinkChange | RemoveChange): Promise<void>;
  /** The bytes of a file as they were before the run. */
  image(number: number): Promise<Buffer | undefined>;
  /** Where the file itself is kept; absent if it is not kept. */
  original(number: number): string | undefined;
  /** Also restore paths that have changed since the run. */
  overwrite: boolean;
  /** The run's changes of a path, latest first. A journaled change may not have been applied. */
  changesAt(path: string): readonly JournaledChange<StepChange, unknown>[];
  /** Whether a service that the run started writes the path by itself. */
  isServiceData(path: string): boolean;
  /** An earlier undo was refused or failed. */
  isPartial: boolean;
}

export async function restorePath(path: string, before: PathBefore, context: RestoreContext): Promise<UndoOutcome> {
  return (await conflictAt(path, before, context)) ?? restore(path, before, context);
}

/** Undefined if the path is as the run left it, or as it was before. */
async function conflictAt(
  path: string,
  before: PathBefore,
  { read, overwrite, changesAt, isServiceData }: RestoreContext,
): Promise<UndoOutcome | undefined> {
  const changes = changesAt(path);
  const [last] = changes;
  // A service replaces links and fills directories. It does not rewrite files that the run wrote.
  if (last === undefined || overwrite || (isServiceData(path) && last.change.kind !== 'file')) return undefined;
  const { before: now, image } = await snapshotOf(path, read);
  const known = [before, ...changes.map(leftBy)];
  // An earlier undo may have stopped between the removal and the restoration.
  if (known.some((state) => isInTheWay(state, before))) known.push({ kind: 'absent' });
  if (known.some((state) => isSame(now, state))) return undefined;
  const why = `it has changed since the run: it is now ${snapshotText(now)}`;
  const isSecret = last.change.kind === 'file' && last.change.content === undefined;
  // The new content may be a secret that Joinery does not know.
  if (isSecret || now.kind !== 'file' || (now.mode & READ_BY_ALL) === 0) return { outcome: 'refused', why };
  const left = last.change.kind === 'file' ? (last.change.content ?? '') : '';
  return { outcome: 'refused', why, diff: await diffOf(path, left, image?.toString('utf8') ?? '') };
}

function leftBy({ change, after }: JournaledChange<StepChange, unknown>): PathBefore {
  return describedKindOf(change).leaves?.(change, after) ?? { kind: 'absent' };
}

async function diffOf(path: string, left: string, now: string): Promise<string> {
  const { createTwoFilesPatch, FILE_HEADERS_ONLY } = await import('diff'); // rarely needed
  const headerOptions = FILE_HEADERS_ONLY;
  const diff = createTwoFilesPatch(path, path, left, now, 'as the run left it', 'now', { headerOptions });
  return diff.split('\n').slice(0, DIFF_LINES_MAX).join('\n');
}

async function restore(path: string, before: PathBefore, context: RestoreContext): Promise<UndoOutcome> {
  const { read, apply } = context;
  const { before: now } = await snapshotOf(path, read);
  if (before.kind === 'absent') return removeAgain(path, context);
  if (isInTheWay(now, before)) await apply({ kind: 'remove', path });
  // The change was not applied, but its temporary file may exist.
  else if (isSame(now, before)) {
    await apply({ kind: 'remove', path: temporaryName(path) });
    return { outcome: 'restored' };
  }
  await recreate(path, before, context);
  return { outcome: 'restored' };
}

async function recreate(
  path: string,
  before: Exclude<PathBefore, { kind: 'absent' }>,
  { apply, image, original: originalOf }: RestoreContext,
): Promise<void> {
  if (before.kind === 'link') return apply({ kind: 'link', path, target: before.target });
  const { mode, owner } = before;
  if (before.kind === 'directory') return apply({ kind: 'directory', path, mode, ...(owner && { owner }) });
  const content = before.image === undefined ? undefined : await image(before.image);
  if (content === undefined || digestOf(content) !== before.digest)
    throw fail('E_FILE', { path, what: 'its previous content is no longer in the journal' });
  const original = before.image === undefined ? undefined : originalOf(before.image);
  const more = { ...(owner && { owner }), ...(original === undefined ? {} : { original }) };
  return apply({ kind: 'file', path, content, mode, secret: true, ...more });
}

/** Removes what the run created. A directory that holds anything else stays. */
async function removeAgain(path: string, { read, apply, isPartial }: RestoreContext): Promise<UndoOutcome> {
  await apply({ kind: 'remove', path });
  const names = (await read({ kind: 'list', path }))?.slice(0, NAMES_MAX).join(', ');
  if (names === undefined) return { outcome: 'restored' };
  if (isPartial) return { outcome: 'failed', why: `it is not empty, and the undo is not complete yet: ${names}` };
  return { outcome: 'stays', why: `it contains files that this run did not create: ${names}` };
}
