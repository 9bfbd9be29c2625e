/** Who can change a file or directory. One rule covers every file that Joinery trusts because of its path. */
import type { Stats } from 'node:fs';

/** S_ISVTX: in a directory with this bit, such as /tmp, only the owner of a file may replace it. */
const STICKY = 0o1000;
const WRITABLE_BY_GROUP_OR_OTHERS = 0o022;

/** Whether it belongs to root or the caller. */
export const isOwn = ({ uid }: Stats): boolean => uid === 0 || uid === process.geteuid?.();

/**
 * Whether its mode lets others write to it. Groups get no exception: a group may have more members, and its bits are
 * also the mask of an ACL, so they are set whenever an ACL lets someone write.
 */
export const isOpen = (stats: Stats): boolean =>
  !stats.isSymbolicLink() && (stats.mode & WRITABLE_BY_GROUP_OR_OTHERS) !== 0;

/** Whether others can replace what is in this directory. */
export const isOpenAbove = (stats: Stats): boolean => isOpen(stats) && (stats.mode & STICKY) === 0;
