/** Errors as a run keeps them: with the step that they happened in, and as the journal records them. */
import type { ErrorRecord } from './journal/records.ts';
import { isJoinError } from './sdk/errors.ts';

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
