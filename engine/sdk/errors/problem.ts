/** The entries of lists in errors: problems of a document, and results of checks. */

/**
 * Something wrong with a document, and where.
 * @stable
 */
export interface Problem {
  file: string;
  /** Counted from 1. */
  line: number;
  /** Counted from 1. */
  column: number;
  message: string;
  /** The rule that is broken, in kebab case; absent for kubeadm's configuration files. */
  rule?: string;
  /** The line with its neighbours, and the mistake underlined. */
  frame?: string;
}

/**
 * The result of one preflight check.
 * @stable
 */
export interface CheckResult {
  /** kubeadm's name of the check, for example `FileAvailable--etc-kubernetes-kubelet.conf`. */
  check: string;
  /** `ignored` is an error that the user has downgraded to a warning. */
  result: 'ok' | 'warning' | 'error' | 'ignored';
  /** The observation that led to the result. */
  evidence: string;
  /** The next command to type; empty if the result is `ok`. */
  hint: string;
}
