/** Limits on the size of a change: the journal must be able to keep it, and a later read must be able to check it. */
import { fail } from '../sdk/errors.ts';

/** PATH_MAX of Linux. */
export const PATH_LENGTH_MAX = 4096;

export function requireSize(kind: string, size: number, bytesMax: number): void {
  if (size > bytesMax) throw fail('E_CHANGE_TOO_LARGE', { what: `a ${kind} of ${size} bytes`, bytesMax });
}
