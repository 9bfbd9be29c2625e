/** What was found, in words for people; `state` is for programs. */
import { isJoinError } from '../../engine/sdk/index.ts';

export interface Finding {
  check: 'identity' | 'files' | 'kubelet' | 'api-server' | 'clock' | 'node' | 'csr';
  /** `note`: as it is while something is still going on. `unknown`: it could not be looked at. */
  state: 'ok' | 'note' | 'problem' | 'unknown';
  what: string;
  next?: string;
}

/** What cannot be asked is a finding too. A bug is not. */
export function findingOf(check: Finding['check'], error: unknown): Finding {
  if (!isJoinError(error)) throw error;
  return { check, state: 'problem', what: `${error.code}: ${error.message}`, next: error.hint };
}
