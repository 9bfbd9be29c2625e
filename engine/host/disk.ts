/** Changes of a file system that are atomic and survive a crash. */
import { constants } from 'node:fs';
import type * as fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail } from '../sdk/errors.ts';
import type { Owner } from '../sdk/ports.ts';
import { copyFile } from './attributes.ts';

/** The functions of `node:fs/promises` that changes use. Without `link`, kept files are copies. */
export type Disk = Pick<
  typeof fs,
  'open' | 'lstat' | 'readlink' | 'readdir' | 'mkdir' | 'chmod' | 'chown' | 'symlink' | 'rename' | 'rm' | 'rmdir'
> &
  Partial<Pick<typeof fs, 'link'>>;

export class DurableDisk {
  readonly #disk: Disk;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** The file is never incomplete, and never readable by more users than `mode` allows. */
  replaceFile(path: string, content: Buffer, mode: number, owner?: Owner): Promise<void> {
    return this.#replaceFile(path, content, { mode, owner }, async () => undefined);
  }

  /** Like `replaceFile`, but the new file keeps the ACL, the label and the other attributes of the old one. */
  editFile(path: string, content: Buffer, mode: number, owner?: Owner): Promise<void> {
    return this.#replaceFile(path, content, { mode, owner }, (handle) => this.#copyAttributes(path, handle));
  }

  async #replaceFile(
    path: string,
    content: Buffer,
    { mode, owner }: { mode: number; owner: Owner | undefined },
    prepare: (handle: fs.FileHandle) => Promise<void>,
  ): Promise<void> {
    const temporary = await this.#temporary(path);
    const handle = await this.#disk.open(temporary, 'wx', mode & 0o600);
    try {
      await prepare(handle); // while it is empty: an ACL may let others read it until `mode` is set
      if (owner !== undefined) await handle.chown(owner.uid, owner.gid);
      await handle.chmod(mode);
      await handle.writeFile(content);
      await handle.sync();
      await handle.close();
      await this.#disk.rename(temporary, path);
    } catch (error) {
      await handle.close().catch(() => undefined);
      await this.#temporary(path);
      throw error;
    }
    await this.syncDirectory(dirname(path));
  }

  async #copyAttributes(path: string, to: fs.FileHandle): Promise<void> {
    if ((await this.#disk.lstat(path).catch(() => undefined))?.isFile() !== true) return;
    const from = await this.#disk.open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined);
    if (from !== undefined) await copyFile(from, to, 'attributes').finally(() => from.close());
  }

  /**
   * Replaces `to` with the file at `from`: a hard link or, on another file system, a copy with its owner, ACL, label,
   * attributes and times.
   */
  async putFile(from: string, to: string): Promise<void> {
    const temporary = await this.#temporary(to);
    try {
      const isLinked = await this.#disk.link?.(from, temporary).then(
        () => true,
        () => false,
      );
      if (isLinked !== true) await this.#copyAll(from, temporary);
      await this.#disk.rename(temporary, to);
    } finally {
      await this.#temporary(to); // also if `to` was the same file: then a rename does nothing
    }
    await this.syncDirectory(dirname(to));
  }

  async #copyAll(path: string, copy: string): Promise<void> {
    const from = await this.#disk.open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const to = await this.#disk.open(copy, 'wx', 0o600);
      try {
        const isCopied = await copyFile(from, to, 'everything');
        if (!isCopied) throw fail('E_FILE', { path, what: 'cp could not copy it with all its attributes' });
        await to.sync();
      } finally {
        await to.close();
      }
    } finally {
      await from.close();
    }
  }

  /** The directory has its final mode from the start, because an existing directory is not checked again. */
  async createDirectory(path: string, mode: number, owner?: Owner): Promise<void> {
    if ((await this.#disk.lstat(path).catch(() => undefined))?.isDirectory()) return;
    const temporary = await this.#temporary(path);
    await this.#disk.mkdir(temporary, { mode });
    try {
      if (owner !== undefined) await this.#disk.chown(temporary, owner.uid, owner.gid);
      await this.#disk.chmod(temporary, mode); // whatever the umask was
      await this.syncDirectory(temporary); // its mode is never checked again
      await this.#disk.rename(temporary, path);
    } catch (error) {
      await this.#temporary(path);
      throw error;
    }
    await this.syncDirectory(dirname(path));
  }

  async replaceLink(path: string, target: string): Promise<void> {
    const there = await this.#disk.lstat(path).catch(() => undefined);
    if (there !== undefined && !there.isSymbolicLink()) throw fail('E_FILE', { path, what: 'is in the way of a link' });
    const temporary = await this.#temporary(path);
    await this.#disk.symlink(target, temporary);
    try {
      await this.#disk.rename(temporary, path);
    } catch (error) {
      await this.#temporary(path);
      throw error;
    }
    await this.syncDirectory(dirname(path));
  }

  /** Removes a file, a link or an empty directory. A mount point, and a directory that is not empty, stays. */
  async remove(path: string): Promise<void> {
    await this.#temporary(path);
    const there = await this.#disk.lstat(path).catch(() => undefined);
    try {
      if (there !== undefined) await (there.isDirectory() ? this.#disk.rmdir(path) : this.#disk.rm(path));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOTEMPTY' || code === 'EBUSY') return; // EBUSY: a mount point
      throw error;
    }
    await this.#syncRemoval(path);
  }

  /** Removes a path and everything below it. E_FILE at a mount point: a mounted volume must not be emptied. */
  async removeTree(path: string): Promise<void> {
    await this.#temporary(path);
    const there = await this.#disk.lstat(path).catch(() => undefined);
    if (there !== undefined) await this.#removeTree(path, (await this.#disk.lstat(dirname(path))).dev);
    await this.#syncRemoval(path);
  }

  /** Also syncs a removal that happened earlier: its process may have been killed before the sync. */
  async #syncRemoval(path: string): Promise<void> {
    await this.syncDirectory(dirname(path)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error; // its parent directory is gone, too
    });
  }

  async #removeTree(path: string, device: number): Promise<void> {
    const there = await this.#disk.lstat(path);
    if (there.dev !== device) throw fail('E_FILE', { path, what: 'is a mount point: the mounted file system stays' });
    if (!there.isDirectory()) return this.#disk.rm(path);
    for (const name of await this.#disk.readdir(path)) await this.#removeTree(join(path, name), device);
    await this.#disk.rmdir(path);
  }

  /**
   * The path of the temporary file. It is always the same, so that a later run finds and removes the file of a killed
   * run.
   */
  async #temporary(path: string): Promise<string> {
    const temporary = temporaryName(path);
    const there = await this.#disk.lstat(temporary).catch(() => undefined);
    if (there?.isDirectory()) await this.#disk.rmdir(temporary);
    else if (there !== undefined) await this.#disk.rm(temporary);
    return temporary;
  }

  /** Without this, a crash may lose the name of a file whose bytes are on disk. */
  async syncDirectory(path: string): Promise<void> {
    const handle = await this.#disk.open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

export const temporaryName = (path: string): string => `${path}.joinery.tmp`;
