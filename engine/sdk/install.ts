/** Files that a running service must not see half of. */
import type { Files, Services, Stat } from './ports.ts';
import { isSecret, type Secret } from './secret.ts';

export type DesiredPath =
  | { path: string; content: string | Secret; mode: number }
  | { path: string; link: string }
  | { path: string; directory: number };

/** Brings every path to what is wanted, in order. Where anything differs, the service is stopped before the first write, and stays so. */
export async function installFiles(
  service: string,
  { files, services }: { files: Files; services: Services },
  wanted: readonly DesiredPath[],
): Promise<void> {
  const stale: DesiredPath[] = [];
  for (const item of wanted) if (!(await isAsWanted(files, item))) stale.push(item);
  if (stale.length > 0) await services.stop(service);
  for (const item of stale) {
    if ('content' in item) await files.write(item.path, item.content, item.mode);
    else if ('link' in item) await files.link(item.path, item.link);
    else await files.directory(item.path, item.directory);
  }
}

async function isAsWanted(files: Files, item: DesiredPath): Promise<boolean> {
  const there: Stat | undefined = await files.stat(item.path);
  if ('directory' in item) return there !== undefined; // whoever made it chose its mode
  if ('link' in item) return there?.target === item.link;
  if (there?.kind !== 'file' || there.mode !== item.mode) return false;
  const text = isSecret(item.content) ? item.content.reveal() : item.content;
  return (await files.read(item.path))?.toString('utf8') === text;
}
