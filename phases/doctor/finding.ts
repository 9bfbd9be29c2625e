/** One result of the diagnosis. */
import { isJoinError } from '../../engine/sdk/index.ts';

export interface Finding {
  check: 'identity' | 'files' | 'kubelet' | 'api-server' | 'clock' | 'node' | 'csr';
  /** `note`: neither good nor bad, such as a machine that has not joined. `unknown`: the check was not possible. */
  state: 'ok' | 'note' | 'problem' | 'unknown';
  what: string;
  next?: string;
}

/** A check that fails with a known error is a finding; any other error is a bug and is thrown. */
export function findingOf(check: Finding['check'], error: unknown): Finding {
  if (!isJoinError(error)) throw error;
  return { check, state: 'problem', what: `${error.code}: ${error.message}`, next: error.hint };
}
