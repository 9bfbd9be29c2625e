/** The creation of a directory. */
import type { Owner } from '../../sdk/ports.ts';
import type { ChangeKind } from './kind.ts';
import { modeText, type PathBefore, snapshotOf } from './path-snapshot.ts';

export interface DirectoryChange {
  kind: 'directory';
  path: string;
  mode: number;
  owner?: Owner;
}

export const directory: ChangeKind<DirectoryChange, DirectoryChange, PathBefore> = {
  createsParents: true,
  subject: ({ path }) => path,
  text: ({ path, mode }) => `make ${path}/ (${modeText(mode)})`,
  check: ({ path }, permissions) => permissions.requirePath(path, `directory ${path}`),
  async describe(change, read) {
    return (await read({ kind: 'stat', path: change.path })) === undefined ? change : undefined;
  },
  snapshot: ({ path }, { read }) => snapshotOf(path, read),
  apply: ({ path, mode, owner }, { files }) => files.createDirectory(path, mode, owner),
  overlay: ({ path, mode, owner }, overlay) => overlay.put(path, { kind: 'directory', mode, ...owner }),
  leaves: ({ mode }) => ({ kind: 'directory', mode }),
};
