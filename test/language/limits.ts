/** How many findings each folder may still have: the numbers in limits.json only go down. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Finding } from './language.ts';

type Counts = Record<string, number>;
const LIMITS = new URL('./limits.json', import.meta.url);
const DEPTHS: Counts = { engine: 2, bin: 2, test: 2 };

/** `engine/host` of `engine/host/ports/index.ts`, `docs` of `docs/adr/README.md`. */
function folderOf({ path }: Finding): string {
  const folders = path.split('/').slice(0, -1);
  const depth = path.startsWith('test/engine/') ? 3 : (DEPTHS[folders[0] ?? ''] ?? 1);
  return folders.slice(0, depth).join('/') || path;
}

function countByFolder(found: readonly Finding[]): Counts {
  const counts: Counts = {};
  for (const finding of found) counts[folderOf(finding)] = (counts[folderOf(finding)] ?? 0) + 1;
  return counts;
}

const limits = (): Counts => JSON.parse(readFileSync(LIMITS, 'utf8')) as Counts;

/** The findings of every folder that has more than its limit. */
export function findingsOverLimit(found: readonly Finding[]): Finding[] {
  const [counts, allowed] = [countByFolder(found), limits()];
  return found.filter((finding) => (counts[folderOf(finding)] ?? 0) > (allowed[folderOf(finding)] ?? 0));
}

export function lowerLimits(found: readonly Finding[]): void {
  const allowed = limits();
  const lower = Object.entries(countByFolder(found)).map(([folder, count]) => [
    folder,
    Math.min(count, allowed[folder] ?? 0),
  ]);
  writeFileSync(LIMITS, `${JSON.stringify(Object.fromEntries(lower.filter(([, count]) => count !== 0)), null, 2)}\n`);
}
