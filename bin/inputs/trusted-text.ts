/** Files of a machine that decide what Joinery does there, and may be absent. */
import { readTrusted } from '../../engine/host/trusted.ts';
import { reasonOf } from '../../engine/limits/errno.ts';
import { fail, isJoinError } from '../../engine/sdk/index.ts';

/** Undefined if the file does not exist. E_FILE_UNTRUSTED if other users can change it, E_FILE. */
export function trustedText(file: string): string | undefined {
  try {
    return readTrusted(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw isJoinError(error) ? error : fail('E_FILE', { path: file, what: reasonOf(error) }, error);
  }
}
