/** One entry of the table of facts about releases. */

/**
 * A fact about releases of the kubelet, and of the kubeadm of the same release, or about releases of the cluster.
 * @experimental
 */
export interface ReleaseFact {
  readonly of: 'kubelet' | 'cluster';
  /** First release in which the fact holds. */
  readonly since: `1.${number}`;
  /** Last release in which it holds; absent if it still does. */
  readonly until?: `1.${number}`;
  readonly what: string;
  /** The enhancement, pull request or program that documents it. `kubernetes#N` is a pull request there. */
  readonly source: string;
}
