/** Files below a root directory: read within limits, and replaced durably, atomically and with the right mode. */
import { once } from 'node:events';
import { constants, type FSWatcher, type Stats, watch } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { LIMITS } from '../limits/sizes.ts';
import { signalAfter, sleep } from '../limits/timers.ts';
import { fail, isJoinError } from '../sdk/errors.ts';
import type { Owner, Stat } from '../sdk/ports.ts';
import { type Disk, DurableDisk } from './disk.ts';
import { followLinks } from './links.ts';
import { requireTrusted } from './trusted-state.ts';
import { readUnsized } from './unsized-file.ts';

const READ_AGAIN_MS = 5_000;

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
  truncate(lengthBytes: number): Promise<void>;
  close(): Promise<void>;
}

export class MachineFiles {
  readonly #root: string;
  readonly #disk: Disk;
  readonly #durable: DurableDisk;
  /** The latest pending change at each place. */
  readonly #turns = new Map<string, Promise<void>>();

  /** `root` is `/` for this machine. Tests pass a `disk` that loses unsynced data. */
  constructor(root: string, disk: Disk = fs) {
    this.#root = root;
    this.#disk = disk;
    this.#durable = new DurableDisk(disk);
  }

  async read(path: string, bytesMax = LIMITS.file): Promise<Buffer | undefined> {
    return this.#orAbsent(path, async () => {
      const handle = await this.#disk.open(await this.#real(path), constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        const stats = await handle.stat();
        if (!stats.isFile()) throw fail('E_FILE', { path, what: 'is not a file' });
        if (stats.size > bytesMax) throw fail('E_FILE', { path, what: `is larger than ${bytesMax} bytes` });
        return stats.size > 0 ? await handle.readFile() : await readUnsized(handle, path, bytesMax);
      } finally {
        await handle.close();
      }
    });
  }

  /** The first bytes of a file. Empty if the file does not exist. */
  async readStart(path: string, bytesMax: number): Promise<{ content: Buffer; fileBytes: number }> {
    const content = await this.#orAbsent(path, async () => {
      const handle = await this.#disk.open(await this.#real(path), constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        const stats = await handle.stat();
        if (!stats.isFile()) throw fail('E_FILE', { path, what: 'is not a file' });
        const fileBytes = stats.size;
        if (fileBytes <= bytesMax) return { content: await handle.readFile(), fileBytes };
        const start = Buffer.alloc(bytesMax);
        const { bytesRead } = await handle.read(start, 0, bytesMax, 0);
        return { content: start.subarray(0, bytesRead), fileBytes };
      } finally {
        await handle.close();
      }
    });
    return content ?? { content: Buffer.alloc(0), fileBytes: 0 };
  }

  /**
   * Call it before Joinery acts on the content of `path`. E_STATE_UNTRUSTED if users other than root and the caller can
   * change it, or a directory on the way. A path that does not exist is trusted.
   */
  async requireTrusted(path: string): Promise<void> {
    await this.#orAbsent(path, async () => {
      await requireTrusted(this.#disk, await this.#real(path));
    });
  }

  async stat(path: string): Promise<Stat | undefined> {
    return this.#orAbsent(path, async () => {
      const real = await this.#place(path);
      const stats = await this.#disk.lstat(real);
      const kind = kindOf(stats);
      const { uid, gid, mode } = stats;
      return {
        kind,
        mode: mode & 0o7777,
        uid,
        gid,
        ...(kind === 'link' ? { target: await this.#disk.readlink(real) } : {}),
      };
    });
  }

  async list(path: string): Promise<string[] | undefined> {
    return this.#orAbsent(path, async () => (await this.#disk.readdir(await this.#real(path))).sort());
  }

  /** Watches the nearest existing directory, and reads every few seconds for file systems without events. */
  async waitFor(path: string, done: (content: Buffer | undefined) => boolean, signal: AbortSignal) {
    return this.#explained(path, async () => {
      for (;;) {
        // The watch begins before the read, so that no change in between is missed.
        const watcher = watcherOf(await this.#real(await this.#nearest(dirname(path))));
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
    return this.#change(kept, async (place) => this.#durable.putFile(await this.#place(path), place));
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

  remove(path: string): Promise<void> {
    return this.#change(path, (place) => this.#durable.remove(place));
  }

  removeTree(path: string): Promise<void> {
    return this.#change(path, (place) => this.#durable.removeTree(place));
  }

  async #change(path: string, act: (place: string) => Promise<void>): Promise<void> {
    await this.#explained(path, async () => {
      const place = await this.#place(path);
      await this.#inTurn(place, () => act(place));
    });
  }

  /** Concurrent steps may create the same directory, which is prepared at one temporary path. */
  async #inTurn(place: string, act: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(place) ?? Promise.resolve()).then(act, act);
    this.#turns.set(place, turn);
    try {
      await turn;
    } finally {
      if (this.#turns.get(place) === turn) this.#turns.delete(place);
    }
  }

  /** Creates the missing directories above `path` with mode 0755. */
  async createParents(path: string): Promise<void> {
    const parent = dirname(path);
    if ((await this.stat(parent)) !== undefined) return;
    await this.createParents(parent);
    await this.createDirectory(parent, 0o755);
  }

  /** Syncs the directories above `path` up to `top`, because a killed process may have created them without a sync. */
  async syncNames(path: string, top: string): Promise<void> {
    for (let at = path; at.startsWith(top); at = dirname(at))
      await this.#explained(at, async () => this.#durable.syncDirectory(dirname(await this.#place(at))));
  }

  /** Opens the file at `path` for appending. */
  async appendTo(path: string): Promise<AppendHandle> {
    return this.#explained(path, async () => {
      const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW;
      const handle = await this.#disk.open(await this.#place(path), flags);
      return {
        append: (bytes, sync) =>
          this.#explained(path, async () => {
            await handle.appendFile(bytes);
            if (sync) await handle.sync();
          }),
        async lengthBytes() {
          const { size, nlink } = await handle.stat();
          return nlink === 0 ? undefined : size;
        },
        truncate: (length) => this.#explained(path, () => handle.truncate(length)),
        close: () => handle.close(),
      };
    });
  }

  /** The real path of `path`. Links among its parents are followed inside the root; a link at its end is not. */
  async #place(path: string): Promise<string> {
    const clean = normalize(path).replace(/(.)\/$/, '$1');
    return clean === '/' ? this.#root : join(await this.#real(dirname(clean)), clean.slice(clean.lastIndexOf('/') + 1));
  }

  /** The real path of `path`, with every link followed. */
  async #real(path: string): Promise<string> {
    return join(this.#root, await followLinks(this.#root, path, this.#disk));
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

/** Undefined if the directory was deleted, or the system has no more watches. */
function watcherOf(directory: string): FSWatcher | undefined {
  try {
    return watch(directory).on('error', () => undefined); // the periodic read continues
  } catch {
    return undefined;
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
