/**
 * The lock that allows one run at a time on a machine. It is on the file system of the journals, so it also works
 * through bind mounts, from containers and through any path of the machine.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { chmod, type FileHandle, lstat, mkdir, open, rmdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { reasonOf } from '../limits/errno.ts';
import { sleep } from '../limits/timers.ts';
import { fail, isJoinError } from '../sdk/errors.ts';
import { joineryPaths as paths } from '../sdk/paths.ts';
import { realDescriptors, realPath, type Tree, withPlace } from './descend.ts';
import { MachineFiles } from './files.ts';

const TRIES_MAX = 5;
const PAUSE_MS = 40;
const HOLDER_BYTES_MAX = 512;
/** The number under which `flock` inherits the descriptor of the lock. */
const INHERITED_FD = '3';

/** The process that holds the lock, according to the lock file. */
export interface LockHolder {
  pid?: number;
  run?: string;
}

export interface Lock {
  /** Records which run holds the lock, for processes that find it locked. */
  announce(run: string): Promise<void>;
  release(): Promise<void>;
}

/** Locked until `release` or the end of the process. E_RUN_LOCKED, E_PROGRAM_MISSING, E_STATE_UNTRUSTED. */
export async function lockMachine(root: string): Promise<Lock> {
  const tree = { root, descriptors: realDescriptors };
  const files = new MachineFiles(root);
  for (let tries = 1; ; tries++) {
    await files.requireTrusted(paths.state); // also before anything is created
    const folder = realPath(tree, paths.state);
    const created = await createFolder(tree, folder);
    // If the folder cannot be created, no journal can be written, so nothing can be changed. The run reports why.
    if (created === undefined) return { announce: async () => undefined, release: async () => undefined };
    await files.requireTrusted(paths.state);
    const lock = { tree, path: join(folder, 'lock') };
    const handle = await openLock(lock, constants.O_RDWR | constants.O_CREAT);
    const holder = handle === undefined ? {} : await taken(handle, lock);
    if (handle !== undefined && holder === undefined) return heldLock(handle, lock, created);
    await handle?.close();
    if (tries === TRIES_MAX) throw fail('E_RUN_LOCKED', { root, lock: join(root, lock.path), ...holder });
    await sleep(PAUSE_MS); // the holder may be about to end
  }
}

/** Who holds the lock of the machine; undefined if it is free. */
export async function lockHolder(root: string): Promise<LockHolder | undefined> {
  const tree = { root, descriptors: realDescriptors };
  const handle = await openLock({ tree, path: join(realPath(tree, paths.state), 'lock') }, constants.O_RDONLY);
  try {
    return handle === undefined || (await flock(handle, '-s')) ? undefined : await holderIn(handle);
  } finally {
    await handle?.close();
  }
}

/** The file that is locked. */
interface LockFile {
  tree: Tree;
  path: string;
}

async function heldLock(handle: FileHandle, { tree, path }: LockFile, created: readonly string[]): Promise<Lock> {
  await handle.chmod(0o600); // whatever the umask is
  const since = new Date().toISOString();
  const announce = async (run?: string) => {
    const text = Buffer.from(`${JSON.stringify({ pid: process.pid, run, since })}\n`);
    const written = handle.truncate().then(() => handle.write(text, 0, text.length, 0));
    await written.catch(() => undefined); // on a full disk, the lock holds without its record
  };
  const remove = (name: string, act: (path: string) => Promise<void>) =>
    withPlace(tree, name, 'kept', (place) => act(place.path)).catch(() => undefined);
  await announce();
  return {
    announce,
    /** A run without changes leaves nothing behind: the folders stay only if they contain a journal. */
    async release() {
      await remove(path, unlink); // first, so that no other process locks a file that is then deleted
      for (const folder of new Set([dirname(path), ...created])) await remove(folder, rmdir);
      await handle.close().catch(() => undefined); // the kernel has freed it in any case
    },
  };
}

/**
 * Creates the missing directories of the folder, and returns them, deepest first. Undefined if that is not possible.
 */
async function createFolder(tree: Tree, folder: string, mode = 0o700): Promise<string[] | undefined> {
  try {
    await withPlace(tree, folder, 'kept', async ({ path }) => {
      await mkdir(path, { mode });
      await chmod(path, mode); // whatever the umask is
    });
    return [folder];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return [];
    const above =
      code === 'ENOENT' && folder !== dirname(folder) ? await createFolder(tree, dirname(folder), 0o755) : undefined;
    const own = above === undefined ? undefined : await createFolder(tree, folder, mode);
    return own && [...own, ...(above ?? [])];
  }
}

/** Undefined if the lock, or its folder, is gone. */
async function openLock({ tree, path }: LockFile, flags: number): Promise<FileHandle | undefined> {
  try {
    return await withPlace(tree, path, 'kept', (place) =>
      open(place.path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600),
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (isJoinError(error)) throw error;
    throw fail('E_FILE', { path: join(tree.root, path), what: reasonOf(error) }, error);
  }
}

/** Locks the file. Returns the holder if it is locked already, or if its last holder has just deleted it. */
async function taken(handle: FileHandle, { tree, path }: LockFile): Promise<LockHolder | undefined> {
  try {
    if (!(await flock(handle, '-x'))) return await holderIn(handle);
    const named = withPlace(tree, path, 'kept', (place) => lstat(place.path)).catch(() => undefined);
    const [own, there] = await Promise.all([handle.stat(), named]);
    return own.dev === there?.dev && own.ino === there.ino ? undefined : {};
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Node has no flock(2). The program of util-linux or BusyBox locks the open file that it shares with this process, and
 * the lock stays when the program ends. The kernel releases the lock with the last descriptor, also after SIGKILL.
 */
async function flock(handle: FileHandle, mode: '-x' | '-s'): Promise<boolean> {
  const PATH = `${process.env.PATH ?? ''}:/usr/bin:/bin`;
  const child = spawn('flock', [mode, '-n', INHERITED_FD], {
    detached: true, // a terminal that is closed does not end it
    stdio: ['ignore', 'ignore', 'pipe', handle.fd],
    env: { PATH, LC_ALL: 'C' },
  });
  let said = '';
  child.stderr?.on('data', (bytes) => (said += bytes));
  const [code] = await once(child, 'close').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw fail('E_PROGRAM_MISSING', { program: 'flock', package: 'util-linux' });
    throw fail('E_FILE', { path: paths.state, what: `cannot be locked: ${reasonOf(error)}` }, error);
  });
  // Exit code 1 without output: another process holds the lock.
  if (code === 0 || (code === 1 && said === '')) return code === 0;
  throw fail('E_FILE', { path: paths.state, what: `cannot be locked: ${said.trim() || `flock exited with ${code}`}` });
}

/** The record that the holder wrote. It may be incomplete, or another program may hold the lock. */
async function holderIn(handle: FileHandle): Promise<LockHolder> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(HOLDER_BYTES_MAX), 0, HOLDER_BYTES_MAX, 0);
  const text = buffer.toString('utf8', 0, bytesRead);
  const pid = /"pid":(\d{1,10})\b/.exec(text)?.[1];
  const run = /"run":"([\w-]{1,40})"/.exec(text)?.[1];
  return { ...(pid === undefined ? {} : { pid: Number(pid) }), ...(run === undefined ? {} : { run }) };
}
