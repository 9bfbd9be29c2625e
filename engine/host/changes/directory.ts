/** The creation of a directory. */
import { fail } from '../../sdk/errors.ts';
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
  appliesWhole: true,
  subject: ({ path }) => path,
  text: ({ path, mode }) => `make ${path}/ (${modeText(mode)})`,
  check: ({ path }, permissions) => permissions.requirePath(path, `directory ${path}`),
  async describe(change, read) {
    const { path } = change;
    const stat = await read({ kind: 'stat', path });
    if (stat !== undefined && stat.kind !== 'directory' && stat.kind !== 'link')
      throw fail('E_FILE', { path, what: 'is in the way of a directory' });
    return stat === undefined ? change : undefined;
  },
  snapshot: ({ path }, { read }) => snapshotOf(path, read),
  apply: ({ path, mode, owner }, { files }) => files.createDirectory(path, mode, owner),
  overlay: ({ path, mode, owner }, overlay) => overlay.put(path, { kind: 'directory', mode, ...owner }),
  leaves: ({ mode }) => ({ kind: 'directory', mode }),
};
