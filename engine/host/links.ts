/** Links of a machine whose root is a directory of ours. */
import { readlink } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { fail } from '../sdk/errors.ts';

const LINKS_MAX = 40;

/** The machine's own path of what `path` leads to, every link in it followed inside the root: an absolute link means the machine's root, not ours. */
export async function followLinks(root: string, path: string): Promise<string> {
  let pending = normalize(path).split('/').filter(Boolean);
  let at: string[] = [];
  for (let links = 0; pending.length > 0; ) {
    const [part = '', ...rest] = pending;
    pending = rest;
    if (part === '..') at = at.slice(0, -1);
    else {
      const target = await readlink(join(root, ...at, part)).catch(() => undefined);
      if (target === undefined) at = [...at, part];
      else {
        if (++links > LINKS_MAX) throw fail('E_FILE', { path, what: 'too many links' });
        if (target.startsWith('/')) at = [];
        pending = [...target.split('/').filter((name) => name !== '' && name !== '.'), ...pending];
      }
    }
  }
  return `/${at.join('/')}`;
}
