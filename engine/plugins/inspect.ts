/** Inspects the plugin in a folder without running its code. */
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { trustedPath } from '../host/trusted.ts';
import { errnoReason } from '../limits/errno.ts';
import { readLimited } from '../limits/read.ts';
import { LIMITS } from '../limits/sizes.ts';
import { fail, isJoinError } from '../sdk/errors.ts';
import { integrityOf, isCovered } from './integrity.ts';
import { isInRange, type Manifest, readManifest } from './manifest.ts';

export interface InspectedPlugin {
  /** Its real path. */
  folder: string;
  manifest: Manifest;
  integrity: string;
  /** It ships with Joinery, and is trusted like Joinery. */
  isShipped: boolean;
}

/** E_PLUGIN_FILES, E_FILE_UNTRUSTED, E_PLUGIN_MANIFEST, E_PLUGIN_ENGINE. `version` is Joinery's own. */
export async function inspectPlugin(
  path: string,
  version: string,
  { isShipped = false }: { isShipped?: boolean } = {},
): Promise<InspectedPlugin> {
  try {
    const folder = isShipped ? await realpath(path) : trustedPath(path);
    const file = join(folder, 'package.json');
    // A manifest has a lower limit of its own, so that its error lists everything that is wrong with it.
    const text = readLimited(file, { bytesMax: 2 * LIMITS.text, pipes: 'refuse' }).toString('utf8');
    const manifest = readManifest(file, text);
    const { name: plugin, engine: range, dependencies, main, environments, pipelines } = manifest;
    if (!isInRange(version, range)) throw fail('E_PLUGIN_ENGINE', { plugin, range, version });
    const hidden = [main, ...Object.values(environments), ...Object.values(pipelines)].find((file) => !isCovered(file));
    if (hidden !== undefined)
      throw fail('E_PLUGIN_FILES', { folder, what: `its manifest names ${hidden}, which its digest does not cover` });
    const integrity = await integrityOf(folder, dependencies, { isShipped });
    return { folder, manifest, integrity, isShipped };
  } catch (error) {
    const { path: at = path } = error as NodeJS.ErrnoException;
    if (isJoinError(error)) throw error;
    const reason = errnoReason(error);
    const what = reason === undefined ? (error as Error).message : `${at}: ${reason}`;
    throw fail('E_PLUGIN_FILES', { folder: path, what }, error);
  }
}
