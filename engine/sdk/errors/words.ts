/** Words of several families of errors. */
export const list = (items: readonly string[]): string => items.join(', ');
export const MAKE_TOKEN = 'Make a new token on a control-plane node: kubeadm token create --print-join-command';
export const RERUN = 'run the same command again';
