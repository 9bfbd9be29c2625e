/** Files that decide what is run as root: nobody but root, or who runs this, may be able to change them. */
import { closeSync, fstatSync, lstatSync, openSync, readFileSync, realpathSync, type Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fail } from '../sdk/errors.ts';

/** S_ISVTX: in such a directory, as in /tmp, only its owner may replace what is in it. */
const STICKY = 0o1000;

/** The real path of `path`, once it and every directory on the way to it is known to be ours. E_FILE_UNTRUSTED; errors of the file system as they are. */
export function trustedPath(path: string): string {
  const real = realpathSync(path);
  for (const place of new Set([resolve(path), real]))
    for (let at = place; ; at = dirname(at)) {
      assertTrusted(at, lstatSync(at), at !== real);
      if (at === dirname(at)) break;
    }
  return real;
}

/** The text of a file that is ours. What is no file, as `<(…)` of a shell, has nobody else who could write to its name. */
export function readTrusted(path: string): string {
  const descriptor = openSync(path, 'r');
  try {
    const stats = fstatSync(descriptor);
    if (stats.isFile()) trustedPath(path);
    else assertTrusted(path, stats);
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

/** E_FILE_UNTRUSTED where others than root and the caller can change what is at `path`. */
export function assertTrusted(path: string, stats: Stats, isOnTheWay = false): void {
  const { uid, gid, mode } = stats;
  const caller = process.geteuid?.() ?? 0;
  if (uid !== 0 && uid !== caller) throw untrusted(path, `it belongs to user ${uid}`, `chown ${caller} ${path}`);
  if (stats.isSymbolicLink()) return; // has no mode of its own
  const isHeld = isOnTheWay && (mode & STICKY) !== 0;
  // A group of the owner's own number has no other member, as most distributions make users.
  const others = gid === uid ? 0o002 : 0o022;
  if (!isHeld && (mode & others) !== 0)
    throw untrusted(path, `others may write to it (mode ${(mode & 0o7777).toString(8)})`, `chmod go-w ${path}`);
}

const untrusted = (file: string, why: string, command: string) => fail('E_FILE_UNTRUSTED', { file, why, command });
