/**
 * What Joinery believes because of its place, such as a journal: only root and the caller may be able to change it.
 * The rules are those of OpenSSH's StrictModes.
 */
import type { Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fail } from '../sdk/errors.ts';
import type { Disk } from './disk.ts';

/** S_ISVTX: in a directory with this bit, such as /tmp, only the owner of a file may replace it. */
const STICKY = 0o1000;
const WRITABLE_BY_GROUP = 0o020;
const WRITABLE_BY_OTHERS = 0o002;

type ReadDisk = Pick<Disk, 'lstat' | 'readlink'>;

/** E_STATE_UNTRUSTED if users other than root and the caller can change `believed`, or a directory on the way to it. */
export async function requireTrusted(disk: ReadDisk, believed: string, way = believed): Promise<void> {
  for (let at = way; ; at = dirname(at)) {
    const stats = await disk.lstat(at).catch(() => undefined);
    if (stats !== undefined) requireClosed(at, stats, believed);
    // The root of a machine may be reached through links: then both ways are checked.
    if (stats?.isSymbolicLink() === true)
      await requireTrusted(disk, believed, resolve(dirname(at), await disk.readlink(at)));
    if (at === dirname(at)) return;
  }
}

/** `path` is on the way to `believed`, or is it. */
function requireClosed(path: string, stats: Stats, believed: string): void {
  const { uid, gid, mode } = stats;
  const caller = process.geteuid?.() ?? 0;
  const isOwned = uid === 0 || uid === caller;
  if (isOwned && (stats.isSymbolicLink() || !isOpen(stats, caller, path !== believed))) return;
  const command = [
    ...(isOwned ? [] : [`chown ${caller} ${path}`]),
    ...((mode & 0o022) === 0 ? [] : [`chmod go-w ${path}`]),
  ];
  const octal = (mode & 0o7777).toString(8).padStart(4, '0');
  throw fail('E_STATE_UNTRUSTED', { path, believed, owner: `${uid}:${gid}`, mode: octal, command: command.join('; ') });
}

/** The group bits also show the mask of an ACL: where it lets others write, they say so. */
function isOpen({ uid, gid, mode }: Stats, caller: number, isOnTheWay: boolean): boolean {
  if (isOnTheWay && (mode & STICKY) !== 0) return false;
  // Many distributions give each user a group of the same number, and let it write.
  const isOwnGroup = caller !== 0 && uid === caller && gid === uid;
  return (mode & WRITABLE_BY_OTHERS) !== 0 || (!isOwnGroup && (mode & WRITABLE_BY_GROUP) !== 0);
}
