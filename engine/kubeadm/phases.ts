/** Phases of `kubeadm join`, by the names that `--skip-phases` takes. Source: kubeadm 1.14 to 1.36. */

const PREPARE = ['download-certs', 'control-plane-certs', 'control-plane-kubeconfig', 'control-plane-manifests'];

/**
 * kubeadm's phase → the steps of Joinery's pipelines that do its work, in addition to a step of the same name. Those
 * of control planes are unknown to a worker, which skips them anyway.
 */
export const kubeadmPhases: Readonly<Record<string, readonly string[]>> = {
  preflight: ['preflight', 'preflight-cluster', 'preflight-control-plane'],
  // What waits for the Node reads the certificate that this one waits for.
  'kubelet-wait-bootstrap': ['node-ready', 'dynamic-kubelet-config'],
  'check-etcd': [],
  'control-plane-join': ['etcd-join', 'mark-control-plane'],
  'control-plane-join/all': ['etcd-join', 'mark-control-plane'],
  'control-plane-join/etcd': ['etcd-join'],
  'control-plane-join/mark-control-plane': ['mark-control-plane'],
  'control-plane-join/update-status': [],
  'control-plane-prepare': PREPARE,
  'control-plane-prepare/all': PREPARE,
  'control-plane-prepare/certs': ['control-plane-certs'],
  'control-plane-prepare/control-plane': ['control-plane-manifests'],
  'control-plane-prepare/download-certs': ['download-certs'],
  'control-plane-prepare/kubeconfig': ['control-plane-kubeconfig'],
  'etcd-join': [],
  'wait-control-plane': [],
};
