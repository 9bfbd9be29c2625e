/** Lists a folder, so that tests can compare two states of a machine. */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { join, relative } from 'node:path';

export interface Entry {
  path: string;
  kind: 'dir' | 'file' | 'link' | 'other';
  mode: string;
  mtimeMs: number;
  /** The bytes of a file, where a link leads. */
  content: Buffer;
}

function kindOf(stat: Stats): Entry['kind'] {
  if (stat.isDirectory()) return 'dir';
  if (stat.isFile()) return 'file';
  return stat.isSymbolicLink() ? 'link' : 'other';
}

/** All entries below `root`, sorted, with relative paths. */
export function walk(root: string, folder = root): Entry[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      const stat = lstatSync(path);
      const kind = kindOf(stat);
      const content = kind === 'file' ? readFileSync(path) : Buffer.from(kind === 'link' ? readlinkSync(path) : '');
      const mode = (stat.mode & 0o7777).toString(8).padStart(4, '0');
      const entry: Entry = { path: relative(root, path), kind, mode, mtimeMs: stat.mtimeMs, content };
      return kind === 'dir' ? [entry, ...walk(root, path)] : [entry];
    });
}

/** One line for each entry: kind, mode and path, and for a file its modification time and digest. */
export function digest(entries: readonly Entry[]): string[] {
  return entries.map(({ kind, mode, path, mtimeMs, content }) => {
    const written = kind === 'file' || kind === 'link' ? ` ${mtimeMs} ${sha256(content)}` : '';
    return `${kind} ${mode} ${path}${written}`;
  });
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
