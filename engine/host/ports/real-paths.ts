/** Where the paths of a phase really lead. A link must not take a plugin out of the bounds of its manifest. */
import { posix } from 'node:path';
import { allowsPath, type Bounds } from '../../sdk/bounds.ts';
import { fail } from '../../sdk/errors.ts';
import type { Change } from '../changes/index.ts';
import type { Read } from '../query.ts';

const LINKS_MAX = 40;
type PathBounds = Pick<Bounds, 'paths'>;

/** The change in words, with its first real path that the bounds do not allow. */
export async function leavesBounds(bounds: PathBounds, change: Change, read: Read): Promise<string | undefined> {
  if (!('path' in change) || change.kind === 'unmount') return undefined; // mount points are real paths
  const place = await realPlace(change.path, read);
  if (place === change.path && change.kind !== 'link') return undefined;
  const allowed = await realBounds(bounds, read);
  if (!allowsPath(allowed, place)) return `${change.kind} ${change.path}, which is ${place}`;
  if (change.kind !== 'link') return undefined;
  const target = await realPath(change.target, read, posix.dirname(place));
  // A name before the `..` could be exchanged for a link later.
  const isFixed = !/[^./][^/]*\/+\.\.(\/|$)/.test(change.target);
  return isFixed && allowsPath(allowed, target)
    ? undefined
    : `link ${change.path} to ${change.target}, which is ${target}`;
}

/** What a path of the bounds means on this machine: that of an administrator's link is where the link leads. */
export async function realBound(bounds: PathBounds, path: string, read: Read): Promise<string> {
  const names = path.split('/');
  const isChangeable = names.some((_, index) => index > 0 && allowsPath(bounds, names.slice(0, index + 1).join('/')));
  return isChangeable ? path : realPath(path, read); // the plugin could place the link itself
}

/** Patterns as `realBound`, up to their first `*`. */
async function realBounds(bounds: PathBounds, read: Read): Promise<PathBounds> {
  const paths = bounds.paths.map(async (pattern) => {
    const names = pattern.split('/');
    const wildcard = names.findIndex((name) => name.includes('*'));
    const fixed = wildcard < 0 ? names.length - 1 : wildcard;
    const folder = await realBound(bounds, names.slice(0, fixed).join('/'), read);
    return posix.join('/', folder, ...names.slice(fixed));
  });
  return { paths: await Promise.all(paths) };
}

/** The real path of the directory, and the name in it. */
const realPlace = async (path: string, read: Read): Promise<string> =>
  posix.join(await realPath(posix.dirname(path), read), posix.basename(path));

/** The path with all links followed, among them those that a dry run would create. */
async function realPath(path: string, read: Read, from = '/'): Promise<string> {
  let at = path.startsWith('/') ? '/' : from;
  let pending = path.split('/');
  for (let links = 0; pending.length > 0; ) {
    const [name = '', ...rest] = pending;
    pending = rest;
    const next = posix.join(at, name);
    const isName = name !== '' && name !== '.' && name !== '..';
    const target = isName ? (await read({ kind: 'stat', path: next }))?.target : undefined;
    if (target === undefined) at = next;
    else {
      if (++links > LINKS_MAX) throw fail('E_FILE', { path, what: 'too many links' });
      if (target.startsWith('/')) at = '/';
      pending = [...target.split('/'), ...pending];
    }
  }
  return at.replace(/(.)\/$/, '$1');
}
