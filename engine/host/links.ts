/** Links of a machine whose root is a directory. */
import * as fs from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { fail } from '../sdk/errors.ts';
import type { Disk } from './disk.ts';

const LINKS_MAX = 40;
/** S_ISVTX: in a directory with this bit, such as /tmp, only the owner of a link may replace it. */
const STICKY = 0o1000;

/**
 * The path that `path` leads to, with every link followed inside the root. An absolute link starts at the machine's
 * root. E_FILE for a link that users other than root can create.
 */
export async function followLinks(root: string, path: string, disk: Disk = fs): Promise<string> {
  let pending = normalize(path).split('/').filter(Boolean);
  let at: string[] = [];
  for (let links = 0; pending.length > 0; ) {
    const [part = '', ...rest] = pending;
    pending = rest;
    if (part === '..') at = at.slice(0, -1);
    else {
      const target = await targetOf(disk, join(root, ...at), part, path);
      if (target === undefined) at = [...at, part];
      else {
        if (++links > LINKS_MAX) throw fail('E_FILE', { path, what: 'too many links' });
        if (target.startsWith('/')) at = [];
        pending = [...target.split('/').filter((name) => name !== '' && name !== '.'), ...pending];
      }
    }
  }
  return `/${at.join('/')}`;
}

/**
 * The target of a link; undefined if the path is not a link. A link of another user is refused, because it could lead
 * anywhere.
 */
async function targetOf(disk: Disk, directory: string, name: string, path: string): Promise<string | undefined> {
  const link = join(directory, name);
  const stats = await disk.lstat(link).catch(() => undefined);
  if (stats?.isSymbolicLink() !== true) return undefined;
  const { mode } = await disk.lstat(directory);
  const isOpen = (mode & 0o002) !== 0 && (mode & STICKY) === 0;
  if (isOpen || (stats.uid !== 0 && stats.uid !== process.geteuid?.()))
    throw fail('E_FILE', { path, what: `${link} is a link that others than root can place, so it is not followed` });
  return disk.readlink(link);
}
