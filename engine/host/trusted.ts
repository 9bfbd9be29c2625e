/** Files that decide what is run as root: only root, or the user who runs Joinery, may be able to change them. */
import { closeSync, fstatSync, lstatSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { openLimited, readOpened } from '../limits/read.ts';
import { LIMITS } from '../limits/sizes.ts';
import { fail } from '../sdk/errors.ts';
import { decodeText } from '../sdk/text.ts';
import { isOpen, isOpenAbove, isOwn } from './ownership.ts';

/** As in Linux. */
const LINKS_MAX = 40;

/**
 * The real path of `path`, if it is trusted, and so is every directory and link on the way to it. E_FILE_UNTRUSTED, or
 * an error of the file system.
 */
export function trustedPath(path: string): string {
  const left = partsOf(isAbsolute(path) ? path : `${process.cwd()}/${path}`);
  let at = '/';
  assertTrustedAbove(at, lstatSync(at));
  for (let links = 0; left.length > 0; ) {
    const name = left.shift() as string;
    const next = name === '..' ? dirname(at) : join(at, name);
    const stats = lstatSync(next);
    if (left.length > 0 || stats.isSymbolicLink()) assertTrustedAbove(next, stats);
    else assertTrusted(next, stats);
    if (!stats.isSymbolicLink()) at = next;
    else {
      if (++links > LINKS_MAX) throw new Error(`${path} leads through more than ${LINKS_MAX} links`);
      const target = readlinkSync(next);
      if (isAbsolute(target)) at = '/';
      left.unshift(...partsOf(target));
    }
  }
  return at;
}

/** Resolves paths like the kernel: `a/..` is not a no-op, because `a` may be a link. */
const partsOf = (path: string): string[] => path.split('/').filter((name) => name !== '' && name !== '.');

/**
 * The text of a trusted file. A pipe, such as `<(…)` of a shell, has no path at which another user could replace it.
 */
export function readTrusted(path: string): string {
  const descriptor = openLimited(path);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) assertTrusted(path, stats);
    else if (!isSame(stats, lstatSync(trustedPath(path))))
      throw untrusted(path, 'it was replaced while Joinery opened it', `ls -la ${path}`);
    return decodeText(readOpened(descriptor, path, { bytesMax: LIMITS.text, pipes: 'read' }));
  } finally {
    closeSync(descriptor);
  }
}

const isSame = (one: Stats, other: Stats): boolean => one.dev === other.dev && one.ino === other.ino;

/** E_FILE_UNTRUSTED if users other than root and the caller can change `path`. */
export function assertTrusted(path: string, stats: Stats): void {
  assertOwn(path, stats);
  if (isOpen(stats)) throw openTo(path, stats);
}

/** E_FILE_UNTRUSTED if users other than root and the caller can replace what is in this directory, or this link. */
function assertTrustedAbove(path: string, stats: Stats): void {
  assertOwn(path, stats);
  if (isOpenAbove(stats)) throw openTo(path, stats);
}

function assertOwn(path: string, stats: Stats): void {
  if (isOwn(stats)) return;
  throw untrusted(path, `it belongs to user ${stats.uid}`, `chown ${process.geteuid?.() ?? 0} ${path}`);
}

const openTo = (path: string, { mode }: Stats) =>
  untrusted(path, `others may write to it (mode ${(mode & 0o7777).toString(8)})`, `chmod go-w ${path}`);
const untrusted = (file: string, why: string, command: string) => fail('E_FILE_UNTRUSTED', { file, why, command });
