/** Limits the notes of a phase, and adds to each error the step in which it happened. */
import type { ErrorRecord } from '../journal/records.ts';
import { shortened } from '../journal/room.ts';
import { EXIT, isJoinError, openFilesError } from '../sdk/errors.ts';
import type { EventError } from '../sdk/events.ts';

const NOTES_MAX = 1000;
const NOTE_LENGTH_MAX = 10_000;

/**
 * The text to keep of a new note; undefined to drop it. A long note is dropped as a whole: its beginning might end in
 * the middle of a secret, and `redact` would not recognise that.
 */
export function noteAfter(
  notes: readonly unknown[],
  note: string,
  redact: (note: string) => string,
): string | undefined {
  if (notes.length > NOTES_MAX) return undefined;
  if (notes.length === NOTES_MAX) return 'further notes are dropped';
  if (note.length > NOTE_LENGTH_MAX) return `(dropped a note of ${note.length} characters)`;
  return redact(note);
}

/** The error with its step. If the attempt was stopped, the error is the reason for that. */
export function withStep(error: unknown, step: string, signal?: AbortSignal): unknown {
  const isStopped = signal?.aborted === true && !(isJoinError(error) && error.code !== 'E_ATTEMPT_ENDED');
  const thrown = openFilesError(error, undefined) ?? error ?? new Error('the phase threw nothing');
  const cause: unknown = isStopped ? signal?.reason : thrown;
  if (isJoinError(cause)) cause.step = step;
  return cause;
}

export const errorRecord = (error: unknown): ErrorRecord =>
  isJoinError(error)
    ? { code: error.code, message: error.message, hint: error.hint }
    : { code: 'E_BUG', message: String(error), hint: '' };

export const eventError = (error: unknown): EventError => ({
  ...shortened(errorRecord(error)),
  exitCode: isJoinError(error) ? error.exitCode : EXIT.bug,
});
