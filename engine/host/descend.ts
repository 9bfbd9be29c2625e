/**
 * Places of a machine. Each directory on the way to one is opened in the directory above it, and what is done to a name
 * is done in the open directory. So nothing changes if a directory on the way is exchanged for another, or for a link.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { join, normalize } from 'node:path';
import { fail, isJoinError, openFilesError } from '../sdk/errors.ts';
import { isOpenAbove, isOwn } from './ownership.ts';

const LINKS_MAX = 40;
const WRITABLE_BY_OTHERS = 0o002;
/** O_PATH of Linux, which Node does not name: the descriptor stands for a place, and needs no permission to read. */
const O_PATH = 0o10000000;
const ENTER = O_PATH | constants.O_DIRECTORY;

/** The calls that find a place. They are synchronous, because a thread for each would cost more than the call. */
export interface Descriptors {
  openDirectory(path: string, flags: number): number;
  stat(descriptor: number): Stats;
  lstat(path: string): Stats;
  readlink(path: string): string;
  /** Which mount the directory belongs to. A bind mount is one of its own, though its device is that of its source. */
  mountOf(descriptor: number): string | undefined;
  close(descriptor: number): void;
}

export const realDescriptors: Descriptors = {
  openDirectory: openSync,
  stat: (descriptor) => fstatSync(descriptor),
  lstat: (path) => lstatSync(path),
  readlink: (path) => readlinkSync(path),
  mountOf: (descriptor) => /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1],
  close: closeSync,
};

/** A name in an open directory. */
export interface Place {
  descriptor: number;
  /** The open directory, as a path that no rename changes. */
  directory: string;
  /** The name in the open directory. */
  path: string;
  /** Where it is on the machine, with links followed. Only for messages and comparisons. */
  real: string;
}

/** What happens at the end of a path. Links on the way are always followed. `entered`: the place is in a directory. */
export type Last = 'followed' | 'kept' | 'entered';

export interface Tree {
  /** `/` for this machine, or the directory that holds another one. It may be a link. */
  root: string;
  descriptors: Descriptors;
}

/** `any`: the caller checks the owner and mode of each directory itself. */
export type Steps = 'safe' | 'any';

/** Calls `act` with the place of `path`, whose directory is open until `act` is done. E_FILE, E_PATH_UNSAFE. */
export async function withPlace<T>(
  tree: Tree,
  path: string,
  last: Last,
  act: (place: Place) => Promise<T>,
): Promise<T> {
  const way = new Way(tree, path);
  try {
    const { names, obstacle } = way.follow(last);
    if (obstacle !== undefined) throw obstacle;
    return await act(way.place(names));
  } finally {
    way.close();
  }
}

/** Where `path` is on the machine, with links followed. What does not exist is where it would be. */
export function realPath(tree: Tree, path: string, steps: Steps = 'safe'): string {
  const way = new Way(tree, path, steps);
  try {
    return normalize(way.place(way.follow('followed').names).real);
  } finally {
    way.close();
  }
}

/** Opens a directory that is not a link, in an open one. Undefined if there is something else. */
export function enter(descriptors: Descriptors, path: string): number | undefined {
  try {
    return descriptors.openDirectory(path, ENTER | constants.O_NOFOLLOW);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR' || code === 'ELOOP') return undefined;
    throw error;
  }
}

export const openDirectoryPath = (descriptor: number): string => `/proc/self/fd/${descriptor}`;

interface OpenDirectory {
  descriptor: number;
  name: string;
  stats: Stats;
}

/** The open directories on the way to a place. */
class Way {
  readonly #path: string;
  readonly #rootPath: string;
  readonly #steps: Steps;
  readonly #descriptors: Descriptors;
  readonly #root: OpenDirectory;
  readonly #opened: OpenDirectory[] = [];

  constructor({ root, descriptors }: Tree, path: string, steps: Steps = 'safe') {
    this.#path = path;
    this.#steps = steps;
    this.#rootPath = root;
    this.#descriptors = descriptors;
    const descriptor = this.#openRoot();
    this.#root = { descriptor, name: '', stats: this.#rootStats(descriptor) };
  }

  #openRoot(): number {
    try {
      return this.#descriptors.openDirectory(this.#rootPath, ENTER);
    } catch (error) {
      throw openFilesError(error, this.#path) ?? error;
    }
  }

  /** Without /proc, no place has a path, and every file would seem to be missing. */
  #rootStats(descriptor: number): Stats {
    try {
      return this.#descriptors.lstat(`${openDirectoryPath(descriptor)}/.`);
    } catch (error) {
      this.#descriptors.close(descriptor);
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw fail('E_FILE', { path: '/proc', what: 'is not mounted' }, error);
    }
  }

  /** The names that are left: the last one, `.` for a directory of the way itself, or all from an obstacle on. */
  follow(last: Last): { names: string[]; obstacle?: Error } {
    let pending = partsOf(normalize(this.#path));
    for (let links = 0; ; ) {
      const [name, ...rest] = pending;
      if (name === undefined) return { names: ['.'] };
      const isLast = rest.length === 0;
      if (isLast && last === 'kept' && name !== '..') return { names: [name] };
      pending = rest;
      if (name === '..') this.#leave();
      else {
        const step = isLast && last === 'followed' ? this.#targetOf(name) : this.#enter(name);
        if (step === 'entered') continue;
        if (step === undefined) return { names: [name] };
        if (step instanceof Error) return { names: [name, ...rest], obstacle: step };
        if (++links > LINKS_MAX) throw fail('E_FILE', { path: this.#path, what: 'too many links' });
        if (step.startsWith('/')) while (this.#opened.length > 0) this.#leave();
        pending = [...partsOf(step), ...rest];
      }
    }
  }

  place(names: readonly string[]): Place {
    const directory = openDirectoryPath(this.#here.descriptor);
    const path = `${directory}/${names[0]}`;
    return { descriptor: this.#here.descriptor, directory, path, real: this.#real(...names) };
  }

  close(): void {
    while (this.#opened.length > 0) this.#leave();
    this.#descriptors.close(this.#root.descriptor);
  }

  get #here(): OpenDirectory {
    return this.#opened.at(-1) ?? this.#root;
  }

  #real(...names: string[]): string {
    return `/${[...this.#opened.map(({ name }) => name), ...names].join('/').replace(/(^|\/)\.$/, '')}`;
  }

  /** The root has no directory above. */
  #leave(): void {
    const left = this.#opened.pop();
    if (left !== undefined) this.#descriptors.close(left.descriptor);
  }

  /** The target if it is a link, or the error if it cannot be entered. */
  #enter(name: string): 'entered' | string | Error {
    try {
      const descriptor = enter(this.#descriptors, this.#pathOf(name));
      if (descriptor === undefined) return this.#targetOf(name) ?? NO_DIRECTORY;
      const entered = { descriptor, name, stats: this.#descriptors.stat(descriptor) };
      this.#requireSafe(entered);
      this.#opened.push(entered);
      return 'entered';
    } catch (error) {
      if (isJoinError(error)) throw error;
      const limit = openFilesError(error, this.#path);
      if (limit !== undefined) throw limit; // where the path leads is not known
      return error as Error;
    }
  }

  /** The target of a link; undefined if it is something else, or cannot be seen. */
  #targetOf(name: string): string | undefined {
    const path = this.#pathOf(name);
    try {
      const stats = this.#descriptors.lstat(path);
      if (!stats.isSymbolicLink()) return undefined;
      this.#requireTrustedLink(name, stats);
      return this.#descriptors.readlink(path);
    } catch (error) {
      if (isJoinError(error)) throw error;
      return undefined;
    }
  }

  #pathOf(name: string): string {
    return `${openDirectoryPath(this.#here.descriptor)}/${name}`;
  }

  /** A link of another user could lead anywhere, and the user can exchange it at any time. */
  #requireTrustedLink(name: string, link: Stats): void {
    const { stats: above } = this.#here;
    if (isOwn(link) && isOwn(above) && !isOpenToOthers(above)) return;
    const what = `${this.#real(name)} is a link that others than root can place, so it is not followed`;
    throw fail('E_FILE', { path: this.#path, what });
  }

  /**
   * The rule of systemd-tmpfiles: below a directory of another user, all must belong to that user. Otherwise the user
   * could put the directory of someone else in the place of an own one. The same holds for all who may write to it.
   */
  #requireSafe({ name, stats: { uid }, descriptor }: OpenDirectory): void {
    const { stats: above } = this.#here;
    const isSafe = !isOpenToOthers(above) && (isOwn(above) || above.uid === uid);
    if (isSafe || this.#steps === 'any') return;
    this.#descriptors.close(descriptor);
    const directory = join(this.#rootPath, this.#real());
    const [who, command] = exchangers(above);
    const owner = `${above.uid}:${above.gid}`;
    const mode = (above.mode & 0o7777).toString(8).padStart(4, '0');
    const facts = { path: this.#path, directory, name, who, owner, mode, command: `${command} ${directory}` };
    throw fail('E_PATH_UNSAFE', facts);
  }
}

const partsOf = (path: string): string[] => path.split('/').filter((name) => name !== '' && name !== '.');
/**
 * Whether others than the owner can exchange what is in the directory. In a directory of root, a group counts as
 * others, as in OpenSSH's StrictModes, and its bits are also the mask of an ACL. Users often share theirs with a group
 * of their own.
 */
const isOpenToOthers = (stats: Stats): boolean =>
  isOpenAbove(stats) && (stats.uid === 0 || (stats.mode & WRITABLE_BY_OTHERS) !== 0);

/** Who can exchange what is in an unsafe directory, and the command that ends it. */
function exchangers(stats: Stats): [who: string, command: string] {
  if (!isOpenToOthers(stats)) return [`user ${stats.uid}`, `chown ${process.geteuid?.() ?? 0}`];
  if ((stats.mode & WRITABLE_BY_OTHERS) !== 0) return ['every user', 'chmod o-w'];
  return [`group ${stats.gid}, or a user of its ACL,`, 'chmod g-w'];
}
const NO_DIRECTORY = Object.assign(new Error('ENOTDIR'), { code: 'ENOTDIR' });
