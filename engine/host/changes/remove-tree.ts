/** The removal of a path and everything below it. No snapshot is kept, so an undo cannot restore it. */
import type { ChangeKind } from './kind.ts';

export interface RemoveTreeChange {
  kind: 'remove-tree';
  path: string;
}

export const removeTree: ChangeKind<RemoveTreeChange, RemoveTreeChange, never> = {
  subject: ({ path }) => path,
  text: ({ path }) => `remove ${path} and all below it`,
  check: ({ path }, permissions) => permissions.requirePath(path, `remove-tree ${path}`),
  async describe(change, read) {
    return (await read({ kind: 'stat', path: change.path })) === undefined ? undefined : change;
  },
  apply: ({ path }, { files }) => files.removeTree(path),
  overlay: ({ path }, overlay) => overlay.removeTree(path),
};
