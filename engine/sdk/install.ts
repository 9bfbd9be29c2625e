/** Files that a running service must not see half-written. */
import type { Files, Services, Stat } from './ports.ts';
import { isSecret, type Secret } from './secret.ts';

/**
 * A path and its desired state: a file, a link, or a directory with a mode.
 * @experimental
 */
export type DesiredPath =
  | { path: string; content: string | Secret; mode: number }
  | { path: string; link: string }
  | { path: string; directory: number };

/**
 * Brings the paths to their desired state, in order. If one differs, the service is stopped before the first write,
 * and stays stopped.
 * @experimental
 */
export async function installFiles(
  service: string,
  { files, services }: { files: Files; services: Services },
  desired: readonly DesiredPath[],
): Promise<void> {
  const stale: DesiredPath[] = [];
  for (const item of desired) if (!(await isInPlace(files, item))) stale.push(item);
  if (stale.length > 0) await services.stop(service);
  for (const item of stale) {
    if ('content' in item) await files.write(item.path, item.content, item.mode);
    else if ('link' in item) await files.link(item.path, item.link);
    else await files.directory(item.path, item.directory);
  }
}

async function isInPlace(files: Files, item: DesiredPath): Promise<boolean> {
  const stat: Stat | undefined = await files.stat(item.path);
  if ('directory' in item) return stat !== undefined; // its mode may be set on purpose
  if ('link' in item) return stat?.target === item.link;
  if (stat?.kind !== 'file' || stat.mode !== item.mode) return false;
  const text = isSecret(item.content) ? item.content.reveal() : item.content;
  return (await files.read(item.path))?.toString('utf8') === text;
}
