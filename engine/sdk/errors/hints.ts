/** Parts of messages and hints that several families share. */
export const list = (items: readonly string[]): string => items.join(', ');
export const CREATE_TOKEN = 'Create a new token on a control-plane node: kubeadm token create --print-join-command';
export const RERUN = 'run the same command again';
