/** Reads the flags that kubeadm passes to the kubelet: one line of `kubeadm-flags.env`. */

export interface KubeletFlags {
  hostnameOverride: string;
  containerRuntimeEndpoint: string;
  registerWithTaints: Taint[];
}

export interface Taint {
  key: string;
  value?: string;
  effect: string;
}

const LINE = /^KUBELET_KUBEADM_ARGS=(".*")$/;
const TAINT = /^([\w./-]+)(?:=([\w.-]*))?:(NoSchedule|PreferNoSchedule|NoExecute)$/;

/** Throws an Error with the kubelet's message. Ignores flags that the stand-in does not need. */
export function readFlags(env: string): KubeletFlags {
  const flags = new Map(words(env).map(flag));
  return {
    hostnameOverride: flags.get('hostname-override') ?? '',
    containerRuntimeEndpoint: flags.get('container-runtime-endpoint') ?? '',
    registerWithTaints: (flags.get('register-with-taints') ?? '').split(',').filter(Boolean).map(taint),
  };
}

function words(env: string): string[] {
  const assignments = env.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return assignments.flatMap((line) => {
    const [, quoted] = LINE.exec(line) ?? [];
    if (quoted === undefined)
      throw new Error(`/var/lib/kubelet/kubeadm-flags.env: ignoring invalid assignment: ${line}`);
    return String(JSON.parse(quoted)).split(/\s+/).filter(Boolean); // Go's %q quotes flags like JSON
  });
}

function flag(word: string): [name: string, value: string] {
  const [, name, value] = /^--([a-z][a-z0-9-]*)=(.*)$/.exec(word) ?? [];
  if (name === undefined || value === undefined) throw new Error(`unknown command: ${word}`);
  return [name, value];
}

function taint(text: string): Taint {
  const [, key, value, effect] = TAINT.exec(text) ?? [];
  if (key === undefined || effect === undefined) throw new Error(`invalid taint spec: ${text}`);
  return { key, ...(value === undefined || value === '' ? {} : { value }), effect };
}
