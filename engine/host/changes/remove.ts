/** The removal of a file, a link or an empty directory. */
import { fail } from '../../sdk/errors.ts';
import type { ChangeKind } from './kind.ts';
import { type PathBefore, SPECIAL_KINDS, snapshotOf } from './path-snapshot.ts';

export interface RemoveChange {
  kind: 'remove';
  path: string;
}

export const remove: ChangeKind<RemoveChange, RemoveChange, PathBefore> = {
  appliesWhole: true,
  subject: ({ path }) => path,
  text: ({ path }) => `remove ${path}`,
  check: ({ path }, permissions) => permissions.requirePath(path, `remove ${path}`),
  async describe(change, read) {
    const { path } = change;
    const stat = await read({ kind: 'stat', path });
    if (stat?.kind === 'socket' || stat?.kind === 'other')
      throw fail('E_FILE', { path, what: `is ${SPECIAL_KINDS[stat.kind]}, which an undo could not restore` });
    return stat === undefined ? undefined : change;
  },
  snapshot: ({ path }, { read }) => snapshotOf(path, read),
  apply: ({ path }, { files }) => files.remove(path),
  overlay: ({ path }, overlay) => overlay.remove(path),
};
