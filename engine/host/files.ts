/** Files below a root directory: read within limits, and replaced durably, atomically and with the right mode. */
import { once } from 'node:events';
import { constants, type FSWatcher, watch, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoReason } from '../limits/errno.ts';
import { LIMITS } from '../limits/sizes.ts';
import { signalAfter, sleep } from '../limits/timers.ts';
import { fail, isJoinError } from '../sdk/errors.ts';
import type { Owner, Stat } from '../sdk/ports.ts';
import { readSized, readUnsized } from './bounded-file.ts';
import { type Last, type Place, realPath, type Tree, withPlace } from './descend.ts';
import { type Disk, DurableDisk, realDisk } from './disk.ts';
import type { OpenFile } from './file-calls.ts';
import { kindOf } from './file-kind.ts';
import { requireTrusted } from './trusted-state.ts';
import { unrestoredAt } from './unrestored.ts';

const READ_AGAIN_MS = 5_000;
const LINKS_APPEAR_MAX = 3;

interface FileState {
  content: Buffer;
  mode: number;
  owner?: Owner;
}

export interface AppendHandle {
  /** Undefined if the file has been deleted. */
  lengthBytes(): Promise<number | undefined>;
  /** Durable when it returns, if `sync` is set. */
  append(bytes: Buffer, sync: boolean): Promise<void>;
  /** Not durable, but it survives the end of this process. */
  appendNow(bytes: Buffer): void;
  truncate(lengthBytes: number): Promise<void>;
  close(): Promise<void>;
}

export class MachineFiles {
  readonly #tree: Tree;
  readonly #disk: Disk;
  readonly #durable: DurableDisk;
  /** The latest pending change at each place. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(root: string, disk: Disk = realDisk) {
    this.#tree = { root, descriptors: disk.descriptors };
    this.#disk = disk;
    this.#durable = new DurableDisk(disk);
  }

  async read(path: string, bytesMax = LIMITS.file): Promise<Buffer | undefined> {
    return this.#open(path, async (handle, fileBytes) => {
      if (fileBytes > bytesMax) throw fail('E_FILE', { path, what: `is larger than ${bytesMax} bytes` });
      return fileBytes > 0 ? await readSized(handle, fileBytes) : await readUnsized(handle, path, bytesMax);
    });
  }

  /** The first bytes of a file. Empty if the file does not exist. */
  async readStart(path: string, bytesMax: number): Promise<{ content: Buffer; fileBytes: number }> {
    const content = await this.#open(path, async (handle, fileBytes) => {
      return { content: await readSized(handle, Math.min(fileBytes, bytesMax)), fileBytes };
    });
    return content ?? { content: Buffer.alloc(0), fileBytes: 0 };
  }

  /** At most `bytesMax` bytes from `offset` on. Undefined if the file does not exist. */
  readFrom(path: string, offset: number, bytesMax: number): Promise<Buffer | undefined> {
    return this.#open(path, async (handle) => {
      const buffer = Buffer.alloc(bytesMax);
      const { bytesRead } = await handle.read(buffer, 0, bytesMax, offset);
      return buffer.subarray(0, bytesRead);
    });
  }

  /** Opens a file to read it. Undefined if it does not exist. */
  async #open<T>(path: string, read: (handle: OpenFile, fileBytes: number) => Promise<T>): Promise<T | undefined> {
    return this.#orAbsent(path, 'followed', async (place) => {
      const handle = await this.#openPlace(path, place);
      try {
        const stats = await handle.stat();
        if (!stats.isFile()) throw fail('E_FILE', { path, what: 'is not a file' });
        return await read(handle, stats.size);
      } finally {
        await handle.close();
      }
    });
  }

  /** Follows a link that has appeared meanwhile. O_NONBLOCK: a named pipe must not stop the process. */
  async #openPlace(path: string, place: Place, again = LINKS_APPEAR_MAX): Promise<OpenFile> {
    try {
      return await this.#disk.open(place.path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOOP' || again === 0) throw error;
      return await this.#at(path, 'followed', (at) => this.#openPlace(path, at, again - 1));
    }
  }

  /**
   * Call it before Joinery acts on the content of `path`. E_STATE_UNTRUSTED if users other than root and the caller can
   * change it, or a directory on the way. A path that does not exist is trusted.
   */
  async requireTrusted(path: string): Promise<void> {
    await this.#explained(path, async () => {
      await requireTrusted(this.#disk, join(this.#tree.root, realPath(this.#tree, path, 'any')));
    });
  }

  async stat(path: string): Promise<Stat | undefined> {
    return this.#orAbsent(path, 'kept', async (place) => {
      const stats = await this.#disk.lstat(place.path);
      const kind = kindOf(stats);
      const { uid, gid, mode } = stats;
      return {
        kind,
        mode: mode & 0o7777,
        uid,
        gid,
        ...(kind === 'link' ? { target: await this.#disk.readlink(place.path) } : {}),
      };
    });
  }

  /** What an undo would not restore if the path was replaced or removed; undefined if it restores all. */
  unrestored(path: string): Promise<string | undefined> {
    return unrestoredAt(path, (at) => this.#orAbsent(at, 'kept', (place) => this.#disk.lstat(place.path)));
  }

  async list(path: string): Promise<string[] | undefined> {
    return this.#orAbsent(path, 'entered', async (place) => (await this.#disk.readdir(place.directory)).sort());
  }

  /** Watches the nearest existing directory, and reads every few seconds for file systems without events. */
  async waitFor(path: string, done: (content: Buffer | undefined) => boolean, signal: AbortSignal) {
    return this.#explained(path, async () => {
      for (;;) {
        // The watch begins before the read, so that no change in between is missed.
        const watcher = await this.#watch(await this.#nearest(dirname(path)));
        const until = AbortSignal.any([signal, signalAfter(READ_AGAIN_MS)]);
        const changed =
          watcher === undefined
            ? sleep(READ_AGAIN_MS, signal).then(() => 0)
            : once(watcher, 'change', { signal: until });
        const passed = changed.then(Boolean, Boolean);
        try {
          const content = await this.read(path);
          if (done(content)) return content;
          await passed;
        } finally {
          watcher?.close();
        }
        signal.throwIfAborted();
      }
    });
  }

  async #nearest(directory: string): Promise<string> {
    const isThere = directory === '/' || (await this.stat(directory)) !== undefined;
    return isThere ? directory : this.#nearest(dirname(directory));
  }

  /** Undefined if the directory is gone again, or if the system has no more watches. */
  #watch(directory: string): Promise<FSWatcher | undefined> {
    return this.#orAbsent(directory, 'entered', async (place) => watcherOf(place.directory));
  }

  /** The file is never incomplete, and never readable by more users than `mode` allows. */
  replaceFile(path: string, content: Buffer, mode: number, owner?: Owner): Promise<void> {
    return this.#change(path, (place) => this.#durable.replaceFile(place, content, mode, owner));
  }

  /** Like `replaceFile`, but the new file keeps the ACL, the label and the other attributes of the old one. */
  editFile(path: string, content: Buffer, mode: number, owner?: Owner): Promise<void> {
    return this.#change(path, (place) => this.#durable.editFile(place, content, mode, owner));
  }

  /** Makes `kept` a hard link to the file at `path`, or a copy with all its attributes. */
  keepFile(path: string, kept: string): Promise<void> {
    return this.#change(kept, (to) => this.#at(path, 'kept', (from) => this.#durable.putFile(from, to)));
  }

  /** Restores a kept file. False if it is missing, or was changed meanwhile, for example through another hard link. */
  async putBack(kept: string, path: string, { content, mode, owner }: FileState): Promise<boolean> {
    const stat = await this.stat(kept);
    const isOwned = owner === undefined || (stat?.uid === owner.uid && stat.gid === owner.gid);
    if (stat?.kind !== 'file' || stat.mode !== mode || !isOwned) return false;
    if ((await this.read(kept))?.equals(content) !== true) return false;
    return this.keepFile(kept, path).then(
      () => true,
      () => false,
    );
  }

  createDirectory(path: string, mode: number, owner?: Owner): Promise<void> {
    return this.#change(path, (place) => this.#durable.createDirectory(place, mode, owner));
  }

  replaceLink(path: string, target: string): Promise<void> {
    return this.#change(path, (place) => this.#durable.replaceLink(place, target));
  }

  async remove(path: string): Promise<void> {
    await this.#orAbsent(path, 'kept', (place) => this.#inTurn(place, () => this.#durable.remove(place)));
  }

  async removeTree(path: string): Promise<void> {
    await this.#orAbsent(path, 'kept', (place) => this.#inTurn(place, () => this.#durable.removeTree(place)));
  }

  #change(path: string, act: (place: Place) => Promise<void>): Promise<void> {
    return this.#at(path, 'kept', (place) => this.#inTurn(place, () => act(place)));
  }

  /** Concurrent steps may create the same directory, which is prepared at one temporary path. */
  async #inTurn({ real }: Place, act: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(real) ?? Promise.resolve()).then(act, act);
    this.#turns.set(real, turn);
    try {
      await turn;
    } finally {
      if (this.#turns.get(real) === turn) this.#turns.delete(real);
    }
  }

  /** Creates the missing directories above `path` with mode 0755. */
  async createParents(path: string): Promise<void> {
    const parent = dirname(path);
    if (parent === '/' || (await this.stat(parent)) !== undefined) return;
    await this.createParents(parent);
    await this.createDirectory(parent, 0o755);
  }

  /** Syncs the directories above `path` up to `top`, because a killed process may have created them without a sync. */
  async syncNames(path: string, top: string): Promise<void> {
    for (let at = path; at.startsWith(top); at = dirname(at))
      await this.#at(at, 'kept', ({ directory }) => this.#durable.syncDirectory(directory));
  }

  /** Creates an empty file for `appendTo`. It is not durable. */
  createEmpty(path: string, mode: number): Promise<void> {
    return this.#change(path, async (place) => {
      const handle = await this.#disk.open(place.path, 'wx', mode);
      await handle.chmod(mode); // whatever the umask is
      await handle.close();
    });
  }

  /** Opens the file at `path` for appending. */
  async appendTo(path: string): Promise<AppendHandle> {
    return this.#at(path, 'kept', async (place) => {
      const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW;
      const handle = await this.#disk.open(place.path, flags);
      return {
        append: (bytes, sync) =>
          this.#explained(path, async () => {
            await handle.appendFile(bytes);
            if (sync) await handle.sync();
          }),
        appendNow: (bytes) => void writeSync(handle.fd, bytes),
        async lengthBytes() {
          const { size, nlink } = await handle.stat();
          return nlink === 0 ? undefined : size;
        },
        truncate: (length) => this.#explained(path, () => handle.truncate(length)),
        close: () => handle.close(),
      };
    });
  }

  #at<T>(path: string, last: Last, act: (place: Place) => Promise<T>): Promise<T> {
    return this.#explained(path, () => withPlace(this.#tree, path, last, act));
  }

  async #orAbsent<T>(path: string, last: Last, act: (place: Place) => Promise<T>): Promise<T | undefined> {
    return this.#explained(path, () =>
      withPlace(this.#tree, path, last, act).catch((error: NodeJS.ErrnoException) => {
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
      throw fail('E_FILE', { path, what: errnoReason(error) ?? code }, error);
    }
  }
}

function watcherOf(directory: string): FSWatcher | undefined {
  try {
    return watch(directory).on('error', () => undefined); // the periodic read continues
  } catch {
    return undefined;
  }
}
