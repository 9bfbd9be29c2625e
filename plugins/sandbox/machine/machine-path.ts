/** Maps a path of the machine to its path below the scratch root, with links resolved as on the machine. */
import { lstat, readlink } from 'node:fs/promises';
import { join } from 'node:path';

const LINKS_MAX = 40;

/** Follows links; an absolute link starts at `root` again. Throws if there are too many links, like the system. */
export async function machinePath(root: string, path: string): Promise<string> {
  let links = 0;
  const rest = path.split('/').filter(Boolean);
  const walked: string[] = [];
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === '.') continue;
    if (name === '..') {
      walked.pop();
      continue;
    }
    const target = await linkTarget(join(root, ...walked, name));
    if (target === undefined) walked.push(name);
    else {
      links += 1;
      if (links > LINKS_MAX) throw new Error(`open ${path}: too many levels of symbolic links`);
      if (target.startsWith('/')) walked.length = 0;
      rest.unshift(...target.split('/').filter(Boolean));
    }
  }
  return join(root, ...walked);
}

async function linkTarget(path: string): Promise<string | undefined> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isSymbolicLink() === true ? readlink(path) : undefined;
}
