/**
 * A disk in memory that knows what of it would be there after the power has failed: what was synced, and of the rest
 * whatever the test lets survive. As strict as POSIX: a file's sync makes its bytes and mode durable, but not its name;
 * a directory's sync its names and mode, but not what these names stand for.
 */
import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path/posix';
import type { Disk } from '../../engine/host/disk.ts';

/** What remains of an entry or a content that was not synced. */
export type Survives = (what: 'name' | 'content') => boolean;
interface Meta {
  mode: number;
  uid: number;
  gid: number;
}
interface State extends Meta {
  content: Buffer;
  entries: ReadonlyMap<string, Inode>;
}
interface Inode {
  readonly kind: 'file' | 'directory' | 'link';
  now: State;
  synced: State;
}

const OWN = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
/** The umask of hardened machines. */
const UMASK = 0o077;

export class MemoryDisk {
  #root: Inode;
  /** Called at each sync, with its object and its caller. If it returns true, the sync does nothing. */
  swallows: ((site: string) => boolean) | undefined;
  /** A number that changes with each change and each sync. */
  version = 0;
  /** The open directories, by their descriptors. */
  readonly #opened = new Map<number, Inode>();
  #nextDescriptor = 3;

  constructor(root: Inode = inode('directory', 0o755)) {
    this.#root = root;
  }

  /** A copy, including the data that is not synced. */
  copy(): MemoryDisk {
    return this.#made((node) => node);
  }

  /** The disk after a power failure: everything on it is durable. */
  afterPowerLoss(survives: Survives = () => false): MemoryDisk {
    return this.#made((node) => crashed(node, survives));
  }

  #made(change: (node: Inode) => Inode): MemoryDisk {
    const disk = new MemoryDisk(cloned(change(this.#root), new Map()));
    disk.swallows = this.swallows;
    return disk;
  }

  /** Path → a description of the file in one line. */
  tree(): Map<string, string> {
    const lines = new Map<string, string>();
    const visit = (path: string, { kind, now }: Inode): void => {
      const { mode, uid, gid, content, entries } = now;
      const owner = uid === OWN.uid && gid === OWN.gid ? '' : ` ${uid}:${gid}`;
      lines.set(path, `${kind} ${kind === 'link' ? '' : mode.toString(8)}${owner} ${content.toString('latin1')}`);
      for (const [name, node] of entries) visit(join(path, name), node);
    };
    visit('/', this.#root);
    return new Map([...lines].sort(([one], [other]) => (one < other ? -1 : 1)));
  }

  /** Creates a durable file and its parents: the machine before the run. */
  put(path: string, what: { file?: string; link?: string } & Partial<Meta> = {}): void {
    const { file, link, ...meta } = what;
    if (this.#find(dirname(path)) === undefined) this.put(dirname(path));
    const other = link === undefined ? 'directory' : 'link';
    const kind = file === undefined ? other : 'file';
    const created = inode(kind, meta.mode ?? (kind === 'file' ? 0o644 : 0o755), file ?? link);
    Object.assign(created.now, meta);
    created.synced = created.now;
    const parent = this.#directory(path);
    parent.now = parent.synced = { ...parent.now, entries: new Map(parent.now.entries).set(nameIn(path), created) };
  }

  /** Writes a file and its parents without a sync, like a program that ignores power failures. */
  write(path: string, content: string): void {
    if (this.#find(dirname(path)) === undefined) this.#makeAbove(dirname(path));
    this.#link(path, inode('file', 0o600, content), true);
  }
  #makeAbove(path: string): void {
    if (this.#find(dirname(path)) === undefined) this.#makeAbove(dirname(path));
    this.#link(path, inode('directory', 0o755), false);
  }

  readonly calls: Disk = {
    open: (async (path: string, flags: string | number, mode = 0o666) => this.#open(path, flags, mode)) as never,
    lstat: (async (path: string) => statsOf(this.#inode(path))) as never,
    readdir: (async (path: string) => [...this.#directory(join(path, 'x')).now.entries.keys()]) as never,
    readlink: (async (path: string) => this.#inode(path).now.content.toString()) as never,
    mkdir: (async (path: string, { mode }: { mode: number }) =>
      this.#link(path, inode('directory', mode & ~UMASK), false)) as never,
    symlink: async (target, path) => this.#link(String(path), inode('link', 0o777, String(target)), false),
    rename: async (from, to) => {
      const moved = this.#inode(String(from));
      this.#unlink(String(from));
      this.#link(String(to), moved, true);
    },
    unlink: async (path) => {
      if (this.#inode(String(path)).kind === 'directory') throw errno('EISDIR');
      this.#unlink(String(path));
    },
    rmdir: async (path) => {
      const { kind, now } = this.#inode(String(path));
      if (kind !== 'directory') throw errno('ENOTDIR');
      if (now.entries.size > 0) throw errno('ENOTEMPTY');
      this.#unlink(String(path));
    },
    descriptors: {
      openDirectory: (path) => {
        const node = this.#inode(path);
        if (node.kind !== 'directory') throw errno('ENOTDIR');
        this.#opened.set(this.#nextDescriptor, node);
        return this.#nextDescriptor++;
      },
      stat: (descriptor) => statsOf(this.#inode(`/proc/self/fd/${descriptor}`)),
      lstat: (path) => statsOf(this.#inode(path)),
      readlink: (path) => this.#inode(path).now.content.toString(),
      mountOf: () => undefined,
      close: (descriptor) => void this.#opened.delete(descriptor),
    },
  };

  #open(path: string, flags: string | number, mode: number): FileHandle {
    if (flags === 'wx') this.#link(path, inode('file', mode & ~UMASK), false);
    const node = this.#inode(path);
    if (node.kind === 'link') throw errno('ELOOP');
    const write = async (bytes: Buffer) => this.#change(node, { content: Buffer.concat([node.now.content, bytes]) });
    const handle = {
      stat: async () => statsOf(node),
      readFile: async () => node.now.content,
      read: async (into: Buffer) => ({ bytesRead: node.now.content.copy(into) }),
      writeFile: write,
      appendFile: write,
      truncate: async (length: number) => this.#change(node, { content: node.now.content.subarray(0, length) }),
      chmod: async (to: number) => this.#change(node, { mode: to }),
      chown: async (uid: number, gid: number) => this.#change(node, { uid, gid }),
      sync: async () => {
        this.version++;
        if (this.swallows?.(siteOf(node, new Error().stack)) !== true) node.synced = node.now;
      },
      close: async () => undefined,
    };
    return handle as never;
  }

  /** States are immutable, so a sync needs no copy. */
  #change(node: Inode, to: Partial<State>): void {
    this.version++;
    node.now = { ...node.now, ...to };
  }

  #find(path: string): Inode | undefined {
    const [, descriptor, below] = /^\/proc\/self\/fd\/(\d+)(.*)$/.exec(path) ?? [];
    let at: Inode | undefined = descriptor === undefined ? this.#root : this.#opened.get(Number(descriptor));
    for (const name of (below ?? path).split('/').filter((part) => part !== '' && part !== '.')) {
      if (at === undefined) return undefined;
      if (at.kind !== 'directory') throw errno('ENOTDIR');
      at = at.now.entries.get(name);
    }
    return at;
  }
  #inode(path: string): Inode {
    const found = this.#find(path);
    if (found === undefined) throw errno('ENOENT');
    return found;
  }
  /** The directory of `path`. */
  #directory(path: string): Inode {
    const found = this.#inode(dirname(path));
    if (found.kind !== 'directory') throw errno('ENOTDIR');
    return found;
  }
  #link(path: string, node: Inode, isReplacing: boolean): void {
    const directory = this.#directory(path);
    if (!isReplacing && directory.now.entries.has(nameIn(path))) throw errno('EEXIST');
    this.#change(directory, { entries: new Map(directory.now.entries).set(nameIn(path), node) });
  }
  #unlink(path: string): void {
    const directory = this.#directory(path);
    const entries = new Map(directory.now.entries);
    entries.delete(nameIn(path));
    this.#change(directory, { entries });
  }
}

const nameIn = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

function inode(kind: Inode['kind'], mode: number, content = ''): Inode {
  const state = { mode, ...OWN, content: Buffer.from(content), entries: new Map() };
  return { kind, now: state, synced: state };
}

/** An error without a stack, because most errors are expected and a stack is slow. */
function errno(code: string): NodeJS.ErrnoException {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const error = Object.assign(new Error(code), { code });
  Error.stackTraceLimit = stackTraceLimit;
  return error;
}

/** A class, because creating its functions for each call is slow. */
class MemoryStats {
  readonly kind: Inode['kind'];
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly dev = 1;

  constructor({ kind, now }: Inode) {
    this.kind = kind;
    this.mode = now.mode;
    this.uid = now.uid;
    this.gid = now.gid;
    this.size = now.content.length;
  }

  isFile(): boolean {
    return this.kind === 'file';
  }
  isDirectory(): boolean {
    return this.kind === 'directory';
  }
  isSymbolicLink(): boolean {
    return this.kind === 'link';
  }
  isSocket(): boolean {
    return false;
  }
}

const statsOf = (node: Inode): Stats => new MemoryStats(node) as Partial<Stats> as Stats;

/** Functions that only pass calls on. */
const BETWEEN = new Set(['syncDirectory', 'prepareDirectory', 'at', 'explained', 'apply']);

/** `names, for replaceFile` */
function siteOf({ kind, now, synced }: Inode, stack = ''): string {
  const ofDirectory = now.mode === synced.mode ? 'names' : 'mode';
  const what = kind === 'file' ? 'bytes' : ofDirectory;
  const callers = [...stack.matchAll(/at (?:async )?\w+\.#?(\w+) .*\/engine\//g)].flatMap(([, name = '']) => name);
  const [first, second] = callers.filter((name) => !BETWEEN.has(name));
  return `${what}, for ${first === 'syncNames' ? `${first} of ${second}` : first}`;
}

function crashed({ kind, now, synced }: Inode, survives: Survives): Inode {
  const entries = new Map(synced.entries);
  for (const name of new Set([...now.entries.keys(), ...synced.entries.keys()])) {
    const [is, was] = [now.entries.get(name), synced.entries.get(name)];
    if (is === was || !survives('name')) continue;
    if (is === undefined) entries.delete(name);
    else entries.set(name, is);
  }
  for (const [name, node] of entries) entries.set(name, crashed(node, survives));
  const kept = now.content !== synced.content && survives('content') ? now.content : synced.content;
  const state = { ...synced, content: kept, entries };
  return { kind, now: state, synced: state };
}

function cloned(node: Inode, known: Map<Inode, Inode>): Inode {
  const there = known.get(node);
  if (there !== undefined) return there;
  const copy: Inode = { ...node };
  known.set(node, copy);
  const entriesOf = (state: State) => new Map([...state.entries].map(([name, child]) => [name, cloned(child, known)]));
  copy.now = { ...node.now, entries: entriesOf(node.now) };
  copy.synced = node.synced === node.now ? copy.now : { ...node.synced, entries: entriesOf(node.synced) };
  return copy;
}
