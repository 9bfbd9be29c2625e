/** Errors of the system that come out of any call, and are not bugs of the caller. */

import { exhaustedIn } from './errors/open-files.ts';
import { fail, isJoinError } from './errors.ts';

/** E_OPEN_FILES if the error says that a limit of open files is reached. Other errors stay as they are. */
export function withOpenFiles(error: unknown): unknown {
  const exhausted = isJoinError(error) ? undefined : exhaustedIn(error);
  return exhausted === undefined ? error : fail('E_OPEN_FILES', exhausted, error);
}
