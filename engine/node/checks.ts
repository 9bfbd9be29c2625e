/** Which preflight checks the user has chosen to ignore. Source: kubeadm's `--ignore-preflight-errors`. */
import { EXIT, JoinError } from '../sdk/errors.ts';

/**
 * A test for ignored checks. As in kubeadm, names match in any case, unknown names are allowed, and `all` stands alone.
 * Throws E_PREFLIGHT_IGNORE if `all` is combined with other names.
 */
export function ignoreRule(...lists: (readonly string[] | undefined)[]): (check: string) => boolean {
  const names = new Set(lists.flatMap((list) => list ?? []).map((name) => name.trim().toLowerCase()));
  if (names.has('all') && names.size > 1)
    throw JoinError.own({
      code: 'E_PREFLIGHT_IGNORE',
      message: "'all' ignores every check, so it cannot be combined with other names",
      hint: 'Use --ignore-preflight-errors=all, or list only the names.',
      exitCode: EXIT.usage,
    });
  return (check) => names.has('all') || names.has(check.toLowerCase());
}
