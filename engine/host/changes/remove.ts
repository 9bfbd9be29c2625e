/** The removal of a file, a link or an empty directory. */
import type { ChangeKind } from './kind.ts';
import { type PathBefore, snapshotOf } from './path-snapshot.ts';

export interface RemoveChange {
  kind: 'remove';
  path: string;
}

export const remove: ChangeKind<RemoveChange, RemoveChange, PathBefore> = {
  subject: ({ path }) => path,
  text: ({ path }) => `remove ${path}`,
  check: ({ path }, permissions) => permissions.requirePath(path, `remove ${path}`),
  async describe(change, read) {
    return (await read({ kind: 'stat', path: change.path })) === undefined ? undefined : change;
  },
  snapshot: ({ path }, { read }) => snapshotOf(path, read),
  apply: ({ path }, { files }) => files.remove(path),
  overlay: ({ path }, overlay) => overlay.remove(path),
};
