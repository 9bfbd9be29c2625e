/**
 * Files that Joinery trusts because of their path, such as a journal: only root and the caller may be able to change
 * them. The rules are those of OpenSSH's StrictModes.
 */
import type { Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fail } from '../sdk/errors.ts';
import type { Disk } from './disk.ts';
import { isOpen, isOpenAbove, isOwn } from './ownership.ts';

type ReadDisk = Pick<Disk, 'lstat' | 'readlink'>;

type IsOpen = (stats: Stats) => boolean;

/** E_STATE_UNTRUSTED if users other than root and the caller can change `believed`, or a directory on the way to it. */
export const requireTrusted = (disk: ReadDisk, believed: string): Promise<void> =>
  requireClosedWay(disk, believed, believed, isOpen);

async function requireClosedWay(disk: ReadDisk, believed: string, way: string, isOpenAtEnd: IsOpen): Promise<void> {
  for (let at = way; ; at = dirname(at)) {
    const isOpenHere = at === way ? isOpenAtEnd : isOpenAbove;
    const stats = await disk.lstat(at).catch(() => undefined);
    if (stats !== undefined) requireClosed(at, stats, believed, isOpenHere);
    // The root of a machine may be reached through links. Then both paths are checked.
    if (stats?.isSymbolicLink() === true)
      await requireClosedWay(disk, believed, resolve(dirname(at), await disk.readlink(at)), isOpenHere);
    if (at === dirname(at)) return;
  }
}

/** `path` is `believed`, or a directory on the way to it. */
function requireClosed(path: string, stats: Stats, believed: string, isOpenHere: IsOpen): void {
  const { uid, gid, mode } = stats;
  if (isOwn(stats) && !isOpenHere(stats)) return;
  const command = [
    ...(isOwn(stats) ? [] : [`chown ${process.geteuid?.() ?? 0} ${path}`]),
    ...(isOpen(stats) ? [`chmod go-w ${path}`] : []),
  ];
  const octal = (mode & 0o7777).toString(8).padStart(4, '0');
  throw fail('E_STATE_UNTRUSTED', { path, believed, owner: `${uid}:${gid}`, mode: octal, command: command.join('; ') });
}
