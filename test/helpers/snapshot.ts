/** All files below a folder: kinds, modes, owners, bytes and targets. Equal snapshots are the same tree. */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Path → a description in one line. */
export type Snapshot = Record<string, string>;

/** `omit` skips paths and everything below them. `contentOf` may describe a file's content in another way. */
export function snapshot(
  root: string,
  omit: (path: string) => boolean = () => false,
  contentOf: (path: string, bytes: Buffer) => string = (_, bytes) => digest(bytes),
): Snapshot {
  const found: Snapshot = {};
  const visit = (path: string): void => {
    if (omit(path)) return;
    const at = join(root, path);
    const stats = lstatSync(at);
    const owned = `${(stats.mode & 0o7777).toString(8).padStart(4, '0')} ${stats.uid}:${stats.gid}`;
    if (stats.isSymbolicLink()) found[path] = `link ${stats.uid}:${stats.gid} → ${readlinkSync(at)}`;
    else if (stats.isFile()) found[path] = `file ${owned} ${contentOf(path, readFileSync(at))}`;
    else found[path] = `${stats.isDirectory() ? 'directory' : 'other'} ${owned}`;
    if (stats.isDirectory()) for (const name of readdirSync(at)) visit(join(path, name));
  };
  visit('/');
  return found;
}

export const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

/** The differences, one line each. */
export function differences(wanted: Snapshot, found: Snapshot): string[] {
  const paths = [...new Set([...Object.keys(wanted), ...Object.keys(found)])].sort();
  return paths
    .filter((path) => wanted[path] !== found[path])
    .map((path) => `${path}: wanted ${wanted[path] ?? 'nothing'}, found ${found[path] ?? 'nothing'}`);
}
