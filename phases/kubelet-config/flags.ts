/** `/var/lib/kubelet/kubeadm-flags.env`. Source: kubeadm, phases/kubelet/flags. */
import { minorOf, socketPath } from '../../engine/node/index.ts';

/** Kubelets from 1.24 on have no `--container-runtime`, and expect the socket as a URL. */
const REMOTE_ONLY_SINCE_MINOR = 24;
/** From 1.31 on, kubeadm keeps the order of the user's arguments and puts them after its own. */
const IN_ORDER_SINCE_MINOR = 31;

export interface FlagInputs {
  criSocket: string;
  nodeName: string;
  hostName: string;
  kubeletVersion: string;
  taints?: readonly { key: string; value?: string; effect: string }[];
  /** They override the flags that Joinery sets. */
  kubeletExtraArgs?: readonly { name: string; value?: string }[];
}

export function kubeadmFlags({ criSocket, nodeName, hostName, kubeletVersion, ...lists }: FlagInputs): string {
  const { taints = [], kubeletExtraArgs = [] } = lists;
  const minor = minorOf(kubeletVersion);
  const remoteOnly = minor >= REMOTE_ONLY_SINCE_MINOR;
  const flags: Record<string, string> = {
    ...(remoteOnly ? {} : { 'container-runtime': 'remote' }),
    'container-runtime-endpoint': remoteOnly ? `unix://${socketPath(criSocket)}` : criSocket,
    ...(nodeName === hostName ? {} : { 'hostname-override': nodeName }),
    ...(taints.length === 0 ? {} : { 'register-with-taints': taints.map(taintText).join() }),
  };
  const own = Object.entries(flags).filter(([name]) => !kubeletExtraArgs.some((argument) => argument.name === name));
  const all = [...own, ...kubeletExtraArgs.map(({ name, value = '' }): [string, string] => [name, value])];
  if (!(minor >= IN_ORDER_SINCE_MINOR)) all.sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  const text = all.map(([name, value]) => `--${name}=${value}`);
  return `KUBELET_KUBEADM_ARGS=${JSON.stringify(text.join(' '))}\n`; // JSON quotes as Go's %q does, for printable ASCII
}

const taintText = ({ key, value, effect }: { key: string; value?: string; effect: string }): string =>
  `${key}${value === undefined || value === '' ? '' : `=${value}`}:${effect}`;
