/** What an undo cannot restore, in words. The journal keeps a file itself by a hard link, or else a copy of it. */
import type { Stats } from 'node:fs';
import { dirname } from 'node:path';
import { joineryPaths as paths } from '../sdk/paths.ts';

/** Undefined if an undo restores all of `path`, or if there is nothing. */
export async function unrestoredAt(
  path: string,
  lstat: (path: string) => Promise<Stats | undefined>,
): Promise<string | undefined> {
  const stats = await lstat(path);
  if (stats?.isDirectory()) return 'its ACL, label, attributes and times';
  if (stats?.isSymbolicLink()) return 'its owner, label and times';
  let journals: string = paths.runs;
  let there = await lstat(journals);
  for (; there === undefined && journals !== '/'; there = await lstat(journals)) journals = dirname(journals);
  if (stats === undefined || stats.dev === there?.dev) return undefined;
  return `its hard links, and what the file system of ${paths.state} does not support`;
}
