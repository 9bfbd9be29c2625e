/** The paths that a service writes by itself, as its phase declares them. */
import { type Effect, pathMatcher } from '../../sdk/effects.ts';
import type { Read } from '../query.ts';

/** Patterns of the paths that `service` writes by itself. */
export const serviceDataOf = (effects: readonly Effect[], service: string): string[] =>
  effects.flatMap((effect) => (effect.kind === 'service-data' && effect.service === service ? [effect.path] : []));

/** The existing paths that match one of `patterns`, sorted. `*` stands for any part of one name. */
export async function existingPaths(patterns: readonly string[], read: Read): Promise<string[]> {
  const found = new Set<string>();
  for (const pattern of patterns)
    for (const path of await candidates(pattern, read))
      if ((await read({ kind: 'stat', path })) !== undefined) found.add(path);
  return [...found].sort();
}

/** The paths that match a pattern: each `*` stands for the names in its directory. */
async function candidates(pattern: string, read: Read): Promise<string[]> {
  let heads = [''];
  for (const part of pattern.split('/').slice(1)) {
    const next = heads.map(async (head): Promise<string[]> => {
      if (!part.includes('*')) return [`${head}/${part}`];
      const names = (await read({ kind: 'list', path: head === '' ? '/' : head })) ?? [];
      return names.filter(pathMatcher([part], {})).map((name) => `${head}/${name}`);
    });
    heads = (await Promise.all(next)).flat();
  }
  return heads;
}
