/** What is at a path. */
import type { Stats } from 'node:fs';
import type { Stat } from '../sdk/ports.ts';

export function kindOf(stats: Stats): Stat['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'link';
  return stats.isSocket() ? 'socket' : 'other';
}
