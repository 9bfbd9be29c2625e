/** What a preflight check has come to, and which checks the user has chosen to ignore. */
import { EXIT, JoinError } from './join-error.ts';

export interface CheckResult {
  /** As kubeadm names it, e.g. `FileAvailable--etc-kubernetes-kubelet.conf`. */
  check: string;
  /** `ignored`: an error that the user takes for a warning. */
  result: 'ok' | 'warning' | 'error' | 'ignored';
  /** What was seen. */
  evidence: string;
  /** What to type; empty where all is well. */
  hint: string;
}

/** A test for ignored checks, by kubeadm's rule: names in any case, unknown ones too, `all` alone. E_PREFLIGHT_IGNORE. */
export function ignoreRule(...lists: (readonly string[] | undefined)[]): (check: string) => boolean {
  const names = new Set(lists.flatMap((list) => list ?? []).map((name) => name.trim().toLowerCase()));
  if (names.has('all') && names.size > 1)
    throw JoinError.own({
      code: 'E_PREFLIGHT_IGNORE',
      message: "'all' ignores every check, so no other check can be named beside it",
      hint: 'Write --ignore-preflight-errors=all, or only the names.',
      exitCode: EXIT.usage,
    });
  return (check) => names.has('all') || names.has(check.toLowerCase());
}
