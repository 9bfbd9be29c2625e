/** Errors that a test expects: caught, and never missing unnoticed. */
import { inspect } from 'node:util';
import { isJoinError, type JoinError } from '../../engine/sdk/index.ts';

export { printedForms } from '../../engine/testing/printed-forms.ts';

/** The error that `act` ends with, thrown or rejected. A test in which nothing is thrown fails. */
export async function thrownBy(act: () => unknown): Promise<unknown> {
  try {
    await act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

/** As `thrownBy`, where only a JoinError will do. */
export async function joinErrorOf(act: () => unknown): Promise<JoinError> {
  const error = await thrownBy(act);
  if (isJoinError(error)) return error;
  throw new Error(`not a JoinError: ${inspect(error)}`);
}
