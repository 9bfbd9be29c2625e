/** The digest over all that a plugin is made of: what `joinery.lock` pins. docs/plugin-trust.md has its definition. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { assertTrusted } from '../host/trusted.ts';
import { readLimited } from '../limits/read.ts';
import { LIMITS } from '../limits/sizes.ts';
import { fail } from '../sdk/errors.ts';
import { clean } from '../sdk/text.ts';

export interface Options {
  filesMax?: number;
  bytesMax?: number;
  /** Whose the files are is not looked at. */
  isShipped?: boolean;
}

const FILES_MAX = 10_000;
const BYTES_MAX = 64 << 20;

/**
 * `sha512-…` over the folder without its node_modules, and those packages in there that it depends on. Every file on
 * the way is ours alone: E_FILE_UNTRUSTED. E_PLUGIN_FILES for a link that leads out, a dependency that is not there,
 * and too much of it all.
 */
export async function integrityOf(
  folder: string,
  dependencies: readonly string[],
  { filesMax = FILES_MAX, bytesMax = BYTES_MAX, isShipped = false }: Options = {},
): Promise<string> {
  const refuse = (what: string) => fail('E_PLUGIN_FILES', { folder, what: clean(what) });
  const left = { files: filesMax, bytes: bytesMax };
  const lines: string[] = [];

  const add = async (path: string): Promise<void> => {
    const at = join(folder, path);
    const stats = await lstat(at);
    if (!isShipped) assertTrusted(at, stats);
    if (--left.files < 0) throw refuse(`it has more than ${filesMax} files`);
    if (stats.isDirectory()) return addBelow(path);
    if (stats.isSymbolicLink()) {
      const target = await readlink(at);
      const leadsTo = posix.join(posix.dirname(path), target);
      if (target.startsWith('/') || leadsTo === '..' || leadsTo.startsWith('../'))
        throw refuse(`${path} is a link that leads out of it, to ${target}`);
      lines.push(lineOf('link', path, createHash('sha512').update(target)));
    } else if (stats.isFile()) {
      left.bytes -= stats.size;
      if (left.bytes < 0) throw refuse(`it has more than ${bytesMax} bytes`);
      const hash = createHash('sha512');
      await pipeline(createReadStream(at), hash);
      lines.push(lineOf((stats.mode & 0o100) === 0 ? 'file' : 'program', path, hash));
    } else throw refuse(`${path} is neither a file, a directory nor a link`);
  };
  const addBelow = async (path: string): Promise<void> => {
    for (const name of await readdir(join(folder, path)))
      if (name !== 'node_modules' && !(path === '' && name === '.git')) await add(posix.join(path, name));
  };

  const taken = new Set<string>();
  const addDependencies = async (from: string, names: readonly string[]): Promise<void> => {
    for (const name of names) {
      const place = await packageFrom(folder, from, name);
      if (place === undefined) throw refuse(`its dependency ${name} is not in its node_modules`);
      if (taken.has(place)) continue;
      taken.add(place);
      await add(place);
      await addDependencies(place, dependenciesOf(folder, place));
    }
  };

  await add('');
  await addDependencies('', dependencies);
  return `sha512-${createHash('sha512').update(lines.sort().join('')).digest('base64')}`;
}

/** A name may have anything in it but NUL. */
const lineOf = (kind: 'file' | 'program' | 'link', path: string, hash: Hash): string =>
  `${path}\0${kind} ${hash.digest('hex')}\0`;

/** As Node looks for it, but never outside of the folder; and of a link its place, not what it leads to. */
async function packageFrom(folder: string, from: string, name: string): Promise<string | undefined> {
  if (!/^(@[^/.][^/]*\/)?[^/.][^/]*$/.test(name)) return undefined;
  for (let at = from; ; at = posix.dirname(at) === '.' ? '' : posix.dirname(at)) {
    const place = posix.join(at, 'node_modules', name);
    if ((await lstat(join(folder, place)).catch(() => undefined)) !== undefined) return place;
    if (at === '') return undefined;
  }
}

function dependenciesOf(folder: string, place: string): string[] {
  try {
    const path = join(folder, place, 'package.json');
    const text = readLimited(path, { bytesMax: LIMITS.text, pipes: 'refuse' }).toString('utf8');
    return Object.keys((JSON.parse(text) as { dependencies?: object }).dependencies ?? {});
  } catch {
    return []; // Node does not read it either
  }
}
