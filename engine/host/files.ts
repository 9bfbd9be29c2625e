/** Files of a machine whose root is a directory of ours: read within limits, written at once, durably and with the right mode. */
import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { chmod, lstat, mkdir, open, readdir, readlink, rename, rm, rmdir, symlink } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { fail, isJoinError } from '../sdk/errors.ts';
import type { Stat } from '../sdk/ports.ts';
import type { Change } from './host.ts';
import { followLinks } from './links.ts';

const FILE_BYTES_MAX = 4 << 20;

export class MachineFiles {
  readonly #root: string;

  /** `root` is `/` for this machine itself. */
  constructor(root: string) {
    this.#root = root;
  }

  async read(path: string): Promise<Buffer | undefined> {
    return this.#orAbsent(path, async () => {
      const handle = await open(await this.#real(path), constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        const stats = await handle.stat();
        if (!stats.isFile()) throw fail('E_FILE', { path, what: 'is not a file' });
        if (stats.size > FILE_BYTES_MAX) throw fail('E_FILE', { path, what: `is larger than ${FILE_BYTES_MAX} bytes` });
        return await handle.readFile();
      } finally {
        await handle.close();
      }
    });
  }

  async stat(path: string): Promise<Stat | undefined> {
    return this.#orAbsent(path, async () => {
      const real = await this.#place(path);
      const stats = await lstat(real);
      const kind = kindOf(stats);
      return { kind, mode: stats.mode & 0o7777, ...(kind === 'link' ? { target: await readlink(real) } : {}) };
    });
  }

  async list(path: string): Promise<string[] | undefined> {
    return this.#orAbsent(path, async () => (await readdir(await this.#real(path))).sort());
  }

  async apply(change: Extract<Change, { path: string }>): Promise<void> {
    const { path } = change;
    await this.#explained(path, async () => {
      const place = await this.#place(path);
      switch (change.kind) {
        case 'file':
          return replaceFile(place, change.content, change.mode);
        case 'directory':
          return makeDirectory(place, change.mode);
        case 'link':
          return replaceLink(place, change.target);
        case 'remove':
          return removePath(place);
      }
    });
  }

  /** Where `path` lies, its parents' links followed inside the root, its last part not. */
  async #place(path: string): Promise<string> {
    const clean = normalize(path).replace(/(.)\/$/, '$1');
    return clean === '/' ? this.#root : join(await this.#real(dirname(clean)), clean.slice(clean.lastIndexOf('/') + 1));
  }

  /** Where `path` lies, every link in it followed. */
  async #real(path: string): Promise<string> {
    return this.#root === '/' ? path : join(this.#root, await followLinks(this.#root, path));
  }

  async #orAbsent<T>(path: string, act: () => Promise<T>): Promise<T | undefined> {
    return this.#explained(path, () =>
      act().catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
        throw error;
      }),
    );
  }

  async #explained<T>(path: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (isJoinError(error) || typeof code !== 'string') throw error;
      throw fail('E_FILE', { path, what: ERRNO[code] ?? code }, error);
    }
  }
}

const ERRNO: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ENOSPC: 'no space left on the file system',
  EROFS: 'the file system is read-only',
  EISDIR: 'is a directory',
  ELOOP: 'too many links',
  EDQUOT: 'the disk quota is used up',
};

function kindOf(stats: Stats): Stat['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'link';
  return stats.isSocket() ? 'socket' : 'other';
}

async function makeDirectory(path: string, mode: number): Promise<void> {
  if ((await lstat(path).catch(() => undefined))?.isDirectory()) return;
  await mkdir(path, { mode });
  await chmod(path, mode); // whatever the umask was
  await syncDirectory(dirname(path));
}

/** A file, a link, or an empty directory; one that somebody else has put something into stays. */
async function removePath(path: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there === undefined) return;
  if (!there.isDirectory()) await rm(path);
  else
    await rmdir(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY') throw error;
    });
  await syncDirectory(dirname(path));
}

/** Never half a file, and never one that more people can read than `mode` says. */
async function replaceFile(path: string, content: Buffer, mode: number): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const handle = await open(temporary, 'wx', mode & 0o600);
  try {
    await handle.chmod(mode);
    await handle.writeFile(content);
    await handle.sync();
    await handle.close();
    await rename(temporary, path);
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

async function replaceLink(path: string, target: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there !== undefined && !there.isSymbolicLink()) throw fail('E_FILE', { path, what: 'is in the way of a link' });
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  await symlink(target, temporary);
  try {
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Without this, a crash may lose the name of a file whose bytes are safe. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
