/** The change of a symbolic link. */
import { dirname, posix } from 'node:path';
import { allowsPath } from '../../sdk/bounds.ts';
import { fail } from '../../sdk/errors.ts';
import { PATH_LENGTH_MAX, requireSize } from '../limits.ts';
import type { ChangeKind } from './kind.ts';
import { type PathBefore, snapshotOf } from './path-snapshot.ts';

export interface LinkChange {
  kind: 'link';
  path: string;
  target: string;
}

export const link: ChangeKind<LinkChange, LinkChange, PathBefore> = {
  createsParents: true,
  appliesWhole: true,
  subject: ({ path }) => path,
  text: ({ path, target }) => `link ${path} → ${target}`,
  check({ path, target }, permissions) {
    requireSize('link', target.length, PATH_LENGTH_MAX);
    permissions.requirePath(path, `link ${path}`);
    // A phase that may link to any path could write to any path.
    const resolved = posix.resolve(dirname(path), target);
    const isWithin = permissions.isWithin((bounds) => allowsPath(bounds, resolved));
    permissions.require(isWithin, `link ${path} to ${target}`);
  },
  async describe(change, read) {
    const { path, target } = change;
    const stat = await read({ kind: 'stat', path });
    if (stat !== undefined && stat.kind !== 'link') throw fail('E_FILE', { path, what: 'is in the way of a link' });
    return stat?.target === target ? undefined : change;
  },
  snapshot: ({ path }, { read }) => snapshotOf(path, read),
  apply: ({ path, target }, { files }) => files.replaceLink(path, target),
  overlay: ({ path, target }, overlay) => overlay.put(path, { kind: 'link', mode: 0o777, target }),
  leaves: ({ target }) => ({ kind: 'link', target }),
};
