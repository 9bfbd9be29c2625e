/** Parts of messages and hints that several families share. */
export const list = (items: readonly string[]): string => items.join(', ');
export const CREATE_TOKEN = 'Create a new token on a control-plane node: kubeadm token create --print-join-command';
export const UPLOAD_CERTS =
  'On another control plane, this command uploads the certificates and prints their key: ' +
  'kubeadm init phase upload-certs --upload-certs';
export const RERUN = 'run the same command again';
/** A command for etcd in its own Pod, which has the certificates. */
export const etcdctl = (command: string): string =>
  'kubectl -n kube-system exec etcd-CONTROL-PLANE -- etcdctl --endpoints https://127.0.0.1:2379 ' +
  '--cacert /etc/kubernetes/pki/etcd/ca.crt --cert /etc/kubernetes/pki/etcd/peer.crt ' +
  `--key /etc/kubernetes/pki/etcd/peer.key ${command}`;
