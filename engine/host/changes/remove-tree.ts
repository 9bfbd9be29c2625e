/** The removal of a path and everything below it. No snapshot is kept, so an undo cannot restore it. */
import type { Stat } from '../../sdk/ports.ts';
import type { ChangeKind } from './kind.ts';

export interface RemoveTreeChange {
  kind: 'remove-tree';
  path: string;
}

export interface RemoveTreeDescription extends RemoveTreeChange {
  /** Absent in journals of earlier versions. */
  removes?: Stat['kind'];
}

export const removeTree: ChangeKind<RemoveTreeChange, RemoveTreeDescription, never> = {
  subject: ({ path }) => path,
  text: ({ path, removes }) => (removes === 'directory' ? `remove ${path}/ and all below it` : `remove ${path}`),
  check: ({ path }, permissions) => permissions.requirePath(path, `remove-tree ${path}`),
  async describe(change, read) {
    const stat = await read({ kind: 'stat', path: change.path });
    return stat && { ...change, removes: stat.kind };
  },
  apply: ({ path }, { files }) => files.removeTree(path),
  overlay: ({ path }, overlay) => overlay.removeTree(path),
};
