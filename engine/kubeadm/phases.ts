/** Phases of `kubeadm join`, by the names that `--skip-phases` takes. Source: kubeadm 1.14 to 1.36. */

/**
 * kubeadm's phase → the steps of Joinery's pipelines that do its work, in addition to a step of the same name. The list
 * is empty for phases of control-plane nodes, which a worker skips anyway.
 */
export const kubeadmPhases: Readonly<Record<string, readonly string[]>> = {
  preflight: ['preflight', 'preflight-cluster'],
  // What waits for the Node reads the certificate that this one waits for.
  'kubelet-wait-bootstrap': ['node-ready', 'dynamic-kubelet-config'],
  ...Object.fromEntries(
    [
      'check-etcd',
      'control-plane-join',
      'control-plane-join/all',
      'control-plane-join/etcd',
      'control-plane-join/mark-control-plane',
      'control-plane-join/update-status',
      'control-plane-prepare',
      'control-plane-prepare/all',
      'control-plane-prepare/certs',
      'control-plane-prepare/control-plane',
      'control-plane-prepare/download-certs',
      'control-plane-prepare/kubeconfig',
      'etcd-join',
      'wait-control-plane',
    ].map((name) => [name, []]),
  ),
};
