/** Files that decide what is run as root: only root, or the user who runs Joinery, may be able to change them. */
import { closeSync, fstatSync, lstatSync, realpathSync, type Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { openLimited, readOpened } from '../limits/read.ts';
import { LIMITS } from '../limits/sizes.ts';
import { fail } from '../sdk/errors.ts';

/** S_ISVTX: in a directory with this bit, such as /tmp, only the owner of a file may replace it. */
const STICKY = 0o1000;

/**
 * The real path of `path`, if it and every directory above it are trusted. E_FILE_UNTRUSTED, or an error of the file
 * system.
 */
export function trustedPath(path: string): string {
  const real = realpathSync(path);
  for (const start of new Set([resolve(path), real]))
    for (let at = start; ; at = dirname(at)) {
      if (at === real) assertTrusted(at, lstatSync(at));
      else assertTrustedParent(at, lstatSync(at));
      if (at === dirname(at)) break;
    }
  return real;
}

/** The text of a trusted file. A pipe, such as `<(…)` of a shell, has no name that another user could replace. */
export function readTrusted(path: string): string {
  const descriptor = openLimited(path);
  try {
    const stats = fstatSync(descriptor);
    if (stats.isFile()) trustedPath(path);
    else assertTrusted(path, stats);
    return readOpened(descriptor, path, { bytesMax: LIMITS.text, pipes: 'read' }).toString('utf8');
  } finally {
    closeSync(descriptor);
  }
}

/** E_FILE_UNTRUSTED if users other than root and the caller can change `path`. */
export function assertTrusted(path: string, stats: Stats): void {
  assertOwner(path, stats);
  if (isOpenToOthers(stats))
    throw untrusted(path, `others may write to it (mode ${octal(stats.mode)})`, `chmod go-w ${path}`);
}

/** In a directory with the sticky bit, other users can create files, but not replace ours. */
function assertTrustedParent(path: string, stats: Stats): void {
  if ((stats.mode & STICKY) !== 0 && !stats.isSymbolicLink()) assertOwner(path, stats);
  else assertTrusted(path, stats);
}

function assertOwner(path: string, { uid }: Stats): void {
  const caller = process.geteuid?.() ?? 0;
  if (uid !== 0 && uid !== caller) throw untrusted(path, `it belongs to user ${uid}`, `chown ${caller} ${path}`);
}

function isOpenToOthers(stats: Stats): boolean {
  if (stats.isSymbolicLink()) return false; // a link has no mode of its own
  const { uid, gid, mode } = stats;
  // Most distributions give each user a group of the same number, which has no other member.
  const others = gid === uid ? 0o002 : 0o022;
  return (mode & others) !== 0;
}

const octal = (mode: number): string => (mode & 0o7777).toString(8);
const untrusted = (file: string, why: string, command: string) => fail('E_FILE_UNTRUSTED', { file, why, command });
