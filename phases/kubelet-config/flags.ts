/** `/var/lib/kubelet/kubeadm-flags.env`. Source: kubeadm, phases/kubelet/flags. */
import { holds, paths, pauseTag, socketPath } from '../../engine/node/index.ts';

export interface FlagInputs {
  /** As kubeadm of this release writes it; undefined if the kubelet reads it from its configuration. */
  criSocket: string | undefined;
  nodeName: string;
  hostName: string;
  kubeletVersion: string;
  /** Repository of the cluster's images. */
  imageRepository?: string | undefined;
  taints?: readonly { key: string; value?: string; effect: string }[];
  /** They override the flags that Joinery sets. */
  kubeletExtraArgs?: readonly { name: string; value?: string }[];
}

type Flags = Record<string, string>;

export function kubeadmFlags({
  nodeName,
  hostName,
  taints = [],
  kubeletExtraArgs = [],
  ...runtime
}: FlagInputs): string {
  const flags: Flags = {
    ...runtimeFlags(runtime),
    ...(nodeName === hostName ? {} : { 'hostname-override': nodeName }),
    ...(taints.length === 0 ? {} : { 'register-with-taints': taints.map(taintText).join() }),
  };
  const own = Object.entries(flags).filter(([name]) => !kubeletExtraArgs.some((argument) => argument.name === name));
  const extra = kubeletExtraArgs.map(({ name, value = '' }): [string, string] => [name, value]);
  const all = holds('argumentsInOrder', runtime.kubeletVersion)
    ? [...own.sort(byName), ...extra]
    : [...own, ...extra].sort(byName);
  const text = all.map(([name, value]) => quoted(`--${name}=${value}`)).join(' ');
  // JSON quotes as Go's %q does, for printable ASCII. A shell that reads the file must not expand anything either.
  return `KUBELET_KUBEADM_ARGS=${JSON.stringify(text).replace(/[$`]/g, '\\$&')}\n`;
}

/** systemd and shells split the variable at blanks, and honour quotes and backslashes. */
const quoted = (word: string): string => (/[\s"'\\$`]/.test(word) ? `"${word.replace(/["\\$`]/g, '\\$&')}"` : word);

function runtimeFlags({
  criSocket,
  kubeletVersion,
  imageRepository,
}: Omit<FlagInputs, 'nodeName' | 'hostName'>): Flags {
  const hasDockershim = !holds('remoteRuntimesOnly', kubeletVersion);
  const usesDockershim = hasDockershim && criSocket !== undefined && socketPath(criSocket) === paths.dockershim;
  const tag = usesDockershim || holds('pauseImageFlag', kubeletVersion) ? pauseTag(kubeletVersion) : undefined;
  return {
    ...(usesDockershim ? { 'network-plugin': 'cni' } : {}),
    ...(hasDockershim && !usesDockershim ? { 'container-runtime': 'remote' } : {}),
    ...(usesDockershim || criSocket === undefined ? {} : { 'container-runtime-endpoint': criSocket }),
    ...(tag === undefined || imageRepository === undefined
      ? {}
      : { 'pod-infra-container-image': `${imageRepository}/pause:${tag}` }),
  };
}

const byName = ([a]: [string, string], [b]: [string, string]): number => (a < b ? -1 : Number(a > b));

const taintText = ({ key, value, effect }: { key: string; value?: string; effect: string }): string =>
  `${key}${value === undefined || value === '' ? '' : `=${value}`}:${effect}`;
