/** What a phase says, as a run keeps it: its notes within limits, and its errors with the step that they are of. */
import type { ErrorRecord } from '../journal/records.ts';
import { isJoinError } from '../sdk/errors.ts';

/** More is no note to anybody, and would have to be kept. */
const NOTES_MAX = 1000;
const NOTE_LENGTH_MAX = 10_000;

/** The text to keep of what is said after these notes; undefined where nothing is. A part might be the half of a secret, which nobody would recognise. */
export function noteAfter(
  notes: readonly unknown[],
  said: string,
  redacted: (note: string) => string,
): string | undefined {
  if (notes.length > NOTES_MAX) return undefined;
  if (notes.length === NOTES_MAX) return 'what else it says is left out';
  if (said.length > NOTE_LENGTH_MAX) return `(a note of ${said.length} characters is too long to be told)`;
  return redacted(said);
}

/** The error with its step. When the attempt was told to stop, the reason for that is what counts. */
export function blamed(error: unknown, step: string, signal?: AbortSignal): unknown {
  const cut = signal?.aborted === true && !(isJoinError(error) && error.code !== 'E_ATTEMPT_ENDED');
  const told: unknown = cut ? signal?.reason : (error ?? new Error('the phase threw nothing'));
  if (isJoinError(told)) told.step = step;
  return told;
}

export const recordOf = (error: unknown): ErrorRecord =>
  isJoinError(error)
    ? { code: error.code, message: error.message, hint: error.hint }
    : { code: 'E_BUG', message: String(error), hint: '' };
