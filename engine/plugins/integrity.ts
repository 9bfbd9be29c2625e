/** The digest of all files of a plugin, which `joinery.lock` pins. docs/plugin-trust.md defines it. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, lstatSync, type Stats } from 'node:fs';
import { lstat, readdir, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, posix, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { assertTrusted, trustedPath } from '../host/trusted.ts';
import { readLimited } from '../limits/read.ts';
import { LIMITS } from '../limits/sizes.ts';
import { fail } from '../sdk/errors.ts';
import { clean } from '../sdk/text.ts';

export interface Options {
  filesMax?: number;
  bytesMax?: number;
  /** Do not check the owners of the files. */
  isShipped?: boolean;
}

const FILES_MAX = 10_000;
const BYTES_MAX = 64 << 20;
/** The folder of pnpm's packages, to which links in `node_modules` lead. */
const STORE = '/node_modules/.pnpm/';

/**
 * `sha512-…` over the folder without its node_modules, the packages that it depends on, and the targets of links in
 * them. `folder` is a real path. E_FILE_UNTRUSTED if others can change a file. E_PLUGIN_FILES for a link that leads
 * outside, a missing dependency, and too many or too large files.
 */
export async function integrityOf(
  folder: string,
  dependencies: readonly string[],
  options: Options = {},
): Promise<string> {
  const tree = new PluginTree(folder, options);
  if (options.isShipped !== true) assertTrustedAbove(folder);
  await tree.add('');
  await tree.addPackages('', { ...packagesOf(folder), needed: dependencies });
  return tree.digest();
}

class PluginTree {
  readonly #folder: string;
  readonly #options: Required<Options>;
  #files = 0;
  #bytes = 0;
  /** Covered paths, relative to the folder. */
  readonly #seen = new Set<string>();
  readonly #packages = new Set<string>();
  readonly #lines = new Set<string>();

  constructor(folder: string, { filesMax = FILES_MAX, bytesMax = BYTES_MAX, isShipped = false }: Options) {
    this.#folder = folder;
    this.#options = { filesMax, bytesMax, isShipped };
  }

  digest(): string {
    return `sha512-${createHash('sha512')
      .update([...this.#lines].sort().join(''))
      .digest('base64')}`;
  }

  /** Covers a file, a link and its target, or a directory and everything in it except packages. */
  async add(path: string): Promise<void> {
    if (this.#seen.has(path)) return;
    this.#seen.add(path);
    const at = join(this.#folder, path);
    const stats = await lstat(at);
    if (!this.#options.isShipped) assertTrusted(at, stats);
    if (++this.#files > this.#options.filesMax) throw this.#refuse(`it has more than ${this.#options.filesMax} files`);
    if (stats.isSymbolicLink()) await this.add(await this.#follow(path, () => false));
    else if (stats.isFile()) await this.#addFile(path, stats);
    else if (!stats.isDirectory()) throw this.#refuse(`${path} is neither a file, a directory nor a link`);
    else
      for (const name of await readdir(at))
        if (name !== 'node_modules' && !(path === '' && name === '.git')) await this.add(posix.join(path, name));
  }

  async #addFile(path: string, { mode, size }: Stats): Promise<void> {
    this.#bytes += size;
    if (this.#bytes > this.#options.bytesMax) throw this.#refuse(`it has more than ${this.#options.bytesMax} bytes`);
    const hash = createHash('sha512');
    await pipeline(createReadStream(join(this.#folder, path)), hash);
    this.#lines.add(lineOf((mode & 0o100) === 0 ? 'file' : 'program', path, hash));
  }

  /** Covers the dependencies of the package at `from`, and their dependencies. */
  async addPackages(from: string, { needed, optional }: Packages): Promise<void> {
    for (const name of [...needed, ...optional]) {
      const place = await this.#placeOf(name, from);
      if (place === undefined && optional.includes(name)) continue;
      if (place === undefined) throw this.#refuse(`its dependency ${name} is not in its node_modules`);
      const path = await this.#packageAt(place, name);
      if (this.#packages.has(path)) continue;
      this.#packages.add(path);
      await this.add(path);
      await this.addPackages(path, packagesOf(join(this.#folder, path)));
    }
  }

  /** The folder in which Node finds the package: beside `from`, or beside a folder above it. */
  async #placeOf(name: string, from: string): Promise<string | undefined> {
    if (!/^(@[^/.][^/]*\/)?[^/.][^/]*$/.test(name)) return undefined;
    for (let at = join(this.#folder, from); ; at = dirname(at)) {
      const place = join(at, 'node_modules', name);
      const isThere = basename(at) !== 'node_modules' && lstatSync(place, { throwIfNoEntry: false }) !== undefined;
      if (isThere) return relative(this.#folder, place);
      if (at === dirname(at)) return undefined;
    }
  }

  /** The real path of a package, relative to the folder: in the folder itself, or in the store of pnpm beside it. */
  async #packageAt(place: string, name: string): Promise<string> {
    const real = await realpath(join(this.#folder, place)).catch(() => undefined);
    const isLink = real !== join(this.#folder, place);
    if (!isLink && leavesFolder(place) && !this.#isInStore(real))
      throw this.#refuse(`its dependency ${name} is not in its node_modules`);
    if (!this.#options.isShipped) trustedPath(join(this.#folder, place));
    return isLink ? this.#follow(place, (target) => this.#isInStore(target)) : place;
  }

  /** The target of a link, relative to the folder. Outside the folder, only targets that `isAllowed` accepts. */
  async #follow(path: string, isAllowed: (target: string) => boolean): Promise<string> {
    const at = join(this.#folder, path);
    const real = await realpath(at).catch(() => undefined);
    const target = await readlink(at).catch(() => real ?? ''); // it may only be reached through a link
    const isOut = isAbsolute(target) || leavesFolder(posix.join(posix.dirname(path), target));
    const leadsTo = real === undefined ? undefined : relative(this.#folder, real);
    if ((isOut || leavesFolder(leadsTo ?? '')) && (real === undefined || !isAllowed(real)))
      throw this.#refuse(`${path} is a link that leads out of it, to ${target}`);
    if (leadsTo === undefined) throw this.#refuse(`${path} is a link to a missing target, ${target}`);
    if (!this.#options.isShipped) trustedPath(at);
    this.#lines.add(lineOf('link', path, createHash('sha512').update(leadsTo)));
    return leadsTo;
  }

  /** Whether it is in the store of a workspace that contains this folder, or of which this folder is a part. */
  #isInStore(path: string): boolean {
    const [above = '', inStore] = path.split(STORE);
    return inStore !== undefined && !leavesFolder(relative(above, this.#folder));
  }

  #refuse(what: string) {
    return fail('E_PLUGIN_FILES', { folder: this.#folder, what: clean(what) });
  }
}

/** Whether the digest covers a file that the manifest names by a path in the folder. */
export const isCovered = (path: string): boolean => {
  const [first, ...rest] = path.split('/');
  return first !== '..' && first !== '.git' && first !== 'node_modules' && !rest.includes('node_modules');
};

const leavesFolder = (path: string): boolean => path === '..' || path.startsWith('../');

/** A name may contain any character except NUL. */
const lineOf = (kind: 'file' | 'program' | 'link', path: string, hash: Hash): string =>
  `${path}\0${kind} ${hash.digest('hex')}\0`;

/** Node also looks for packages beside the folders above, where users of a sticky directory could place one. */
function assertTrustedAbove(folder: string): void {
  for (let at = dirname(folder); ; at = dirname(at)) {
    const place = join(at, 'node_modules');
    const stats = lstatSync(place, { throwIfNoEntry: false });
    if (stats !== undefined) assertTrusted(place, stats);
    if (at === dirname(at)) return;
  }
}

interface Packages {
  needed: readonly string[];
  optional: readonly string[];
}

function packagesOf(folder: string): Packages {
  try {
    const path = join(folder, 'package.json');
    const text = readLimited(path, { bytesMax: LIMITS.text, pipes: 'refuse' }).toString('utf8');
    const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(text) as Record<string, object>;
    const optional = Object.keys({ ...peerDependencies, ...optionalDependencies });
    const needed = Object.keys(dependencies ?? {}).filter((name) => !optional.includes(name));
    return { needed, optional };
  } catch {
    return { needed: [], optional: [] }; // Node does not read it either
  }
}
