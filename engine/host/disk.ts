/** Changes of a file system that are atomic and survive a crash. */
import { constants } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fail } from '../sdk/errors.ts';
import type { Owner } from '../sdk/ports.ts';
import { copyFile } from './attributes.ts';
import { type Descriptors, enter, openDirectoryPath, type Place, realDescriptors } from './descend.ts';
import * as calls from './file-calls.ts';

/** Without `link`, kept files are copies. */
export type Disk = Omit<typeof calls, 'link'> & Partial<Pick<typeof calls, 'link'>> & { descriptors: Descriptors };

export const realDisk: Disk = { ...calls, descriptors: realDescriptors };

/** O_NONBLOCK: a named pipe in the place of a file must not stop the process. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export class DurableDisk {
  readonly #disk: Disk;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** The file is never incomplete, and never readable by more users than `mode` allows. */
  replaceFile(place: Place, content: Buffer, mode: number, owner?: Owner): Promise<void> {
    return this.#replaceFile(place, content, { mode, owner }, async () => undefined);
  }

  /** Like `replaceFile`, but the new file keeps the ACL, the label and the other attributes of the old one. */
  editFile(place: Place, content: Buffer, mode: number, owner?: Owner): Promise<void> {
    return this.#replaceFile(place, content, { mode, owner }, (handle) => this.#copyAttributes(place, handle));
  }

  async #replaceFile(
    place: Place,
    content: Buffer,
    { mode, owner }: { mode: number; owner: Owner | undefined },
    prepare: (handle: calls.OpenFile) => Promise<void>,
  ): Promise<void> {
    const temporary = await this.#temporary(place);
    const handle = await this.#disk.open(temporary, 'wx', mode & 0o600);
    try {
      await prepare(handle); // while it is empty: an ACL may let others read it until `mode` is set
      if (owner !== undefined) await handle.chown(owner.uid, owner.gid);
      await handle.chmod(mode);
      await handle.writeFile(content);
      await handle.sync();
      await handle.close();
      await this.#disk.rename(temporary, place.path);
    } catch (error) {
      await handle.close().catch(() => undefined);
      await this.#temporary(place).catch(() => undefined); // the first error says more
      throw error;
    }
    await this.syncDirectory(place.directory);
  }

  async #copyAttributes({ path }: Place, to: calls.OpenFile): Promise<void> {
    const from = await this.#disk.open(path, READ).catch(() => undefined);
    try {
      if (from !== undefined && (await from.stat()).isFile()) await copyFile(from, to, 'attributes');
    } finally {
      await from?.close();
    }
  }

  /**
   * Replaces `to` with the file at `from`: a hard link or, on another file system, a copy with its owner, ACL, label,
   * attributes and times.
   */
  async putFile(from: Place, to: Place): Promise<void> {
    const temporary = await this.#temporary(to);
    try {
      const isLinked = await this.#disk.link?.(from.path, temporary).then(
        () => true,
        () => false,
      );
      if (isLinked !== true) await this.#copyAll(from, temporary);
      await this.#disk.rename(temporary, to.path);
    } finally {
      await this.#temporary(to); // also if `to` was the same file: then a rename does nothing
    }
    await this.syncDirectory(to.directory);
  }

  async #copyAll({ path, real }: Place, copy: string): Promise<void> {
    const from = await this.#disk.open(path, READ);
    try {
      if (!(await from.stat()).isFile()) throw fail('E_FILE', { path: real, what: 'is not a file' });
      const to = await this.#disk.open(copy, 'wx', 0o600);
      try {
        const isCopied = await copyFile(from, to, 'everything');
        if (!isCopied) throw fail('E_FILE', { path: real, what: 'cp could not copy it with all its attributes' });
        await to.sync();
      } finally {
        await to.close();
      }
    } finally {
      await from.close();
    }
  }

  /** The directory has its final mode from the start, because an existing directory is not checked again. */
  async createDirectory(place: Place, mode: number, owner?: Owner): Promise<void> {
    if ((await this.#disk.lstat(place.path).catch(() => undefined))?.isDirectory()) return;
    const temporary = await this.#temporary(place);
    await this.#disk.mkdir(temporary, { mode: 0o700 });
    try {
      await this.#prepareDirectory(temporary, place, mode, owner);
      await this.#disk.rename(temporary, place.path);
    } catch (error) {
      await this.#temporary(place).catch(() => undefined); // the first error says more
      throw error;
    }
    await this.syncDirectory(place.directory);
  }

  /** In a directory of another user, that user may have put something else in the place of the new directory. */
  async #prepareDirectory(temporary: string, { real }: Place, mode: number, owner?: Owner): Promise<void> {
    const handle = await this.#disk.open(temporary, READ | constants.O_DIRECTORY);
    try {
      const isOwn = (await handle.stat()).uid === (process.geteuid?.() ?? 0);
      if (!isOwn || (await this.#disk.readdir(temporary)).length > 0)
        throw fail('E_FILE', { path: real, what: 'was exchanged while it was created' });
      if (owner !== undefined) await handle.chown(owner.uid, owner.gid);
      await handle.chmod(mode); // whatever the umask was
      await handle.sync(); // its mode is never checked again
    } finally {
      await handle.close();
    }
  }

  async replaceLink(place: Place, target: string): Promise<void> {
    const there = await this.#disk.lstat(place.path).catch(() => undefined);
    if (there !== undefined && !there.isSymbolicLink())
      throw fail('E_FILE', { path: place.real, what: 'is in the way of a link' });
    const temporary = await this.#temporary(place);
    await this.#disk.symlink(target, temporary);
    try {
      await this.#disk.rename(temporary, place.path);
    } catch (error) {
      await this.#temporary(place).catch(() => undefined); // the first error says more
      throw error;
    }
    await this.syncDirectory(place.directory);
  }

  /** Removes a file, a link or an empty directory. A mount point, and a directory that is not empty, stays. */
  async remove(place: Place): Promise<void> {
    await this.#temporary(place);
    try {
      await this.#removeName(place.path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOTEMPTY' || code === 'EBUSY') return; // EBUSY: a mount point
      throw error;
    }
    await this.syncDirectory(place.directory);
  }

  /** Removes a path and everything below it. E_FILE at a mount point: a mounted volume must not be emptied. */
  async removeTree(place: Place): Promise<void> {
    await this.#temporary(place);
    await this.#removeTree(place, this.#disk.descriptors.mountOf(place.descriptor));
    await this.syncDirectory(place.directory); // also for an earlier removal, whose process may have been killed
  }

  /** Each directory is opened in the one above it, so the removal never leaves the tree. */
  async #removeTree({ path, real }: Pick<Place, 'path' | 'real'>, mount: string | undefined): Promise<void> {
    const { descriptors } = this.#disk;
    const descriptor = orAbsent(() => enter(descriptors, path));
    if (descriptor !== undefined)
      try {
        if (descriptors.mountOf(descriptor) !== mount) throw mountPoint(real);
        const directory = openDirectoryPath(descriptor);
        for (const name of await this.#disk.readdir(directory))
          await this.#removeTree({ path: `${directory}/${name}`, real: `${real}/${name}` }, mount);
      } finally {
        descriptors.close(descriptor);
      }
    await this.#removeName(path).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EBUSY' ? mountPoint(real) : error;
    });
  }

  /** Nothing if there is no such name. `unlink` and `rmdir` follow no link and remove nothing below. */
  async #removeName(path: string): Promise<void> {
    const there = await this.#disk.lstat(path).catch(() => undefined);
    if (there !== undefined) await (there.isDirectory() ? this.#disk.rmdir(path) : this.#disk.unlink(path));
  }

  /**
   * The path of the temporary file. It is always the same, so that a later run finds and removes the file of a killed
   * run.
   */
  async #temporary({ path }: Place): Promise<string> {
    const temporary = temporaryName(path);
    await this.#removeName(temporary);
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

function orAbsent<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const mountPoint = (path: string) => fail('E_FILE', { path, what: 'is a mount point: the mounted file system stays' });

/**
 * It begins with a dot: the kubelet reads every other file of its manifests directory as a static Pod, and would start
 * the Pod of a temporary file beside the one of the finished file. Source: Kubernetes, pkg/kubelet/config/file.go.
 */
export const temporaryName = (path: string): string => join(dirname(path), `.${basename(path)}.joinery.tmp`);
