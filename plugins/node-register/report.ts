/** What a kubelet is told to register with: by its unit, by the files that the unit reads, by its configuration. */
import type { Sdk } from '../../engine/node/sdk.ts';
import type { Ports } from '../../engine/sdk/index.ts';

export interface Taint {
  key: string;
  value?: string;
  effect: string;
}

export interface Told {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  taints: Taint[];
  providerId: string | undefined;
  /** How many Pods it takes. */
  pods: string;
  /** Why it must register by itself. */
  refused: string | undefined;
}

/** In the order in which kubeadm's unit hands them over; a later flag counts. */
const FLAG_FILES = ['/var/lib/kubelet/kubeadm-flags.env', '/etc/default/kubelet', '/etc/sysconfig/kubelet'];
/** Source: the kubelet, nodestatus and kubelet_node_status.go, `initialNode`. */
const ATTACH_DETACH = 'volumes.kubernetes.io/controller-managed-attach-detach';
const PODS = 110;

export async function toldToKubelet(sdk: Sdk, { files, services }: Pick<Ports, 'files' | 'services'>): Promise<Told> {
  const texts = await Promise.all(FLAG_FILES.map(async (path) => (await files.read(path))?.toString('utf8') ?? ''));
  const flags = flagsIn([(await services.unit('kubelet')) ?? '', ...texts].join('\n'));
  const given = (name: string): string | undefined => flags.get(name)?.at(-1);
  const config = configIn(sdk, (await files.read(sdk.node.paths.kubeletConfig))?.toString('utf8') ?? '');

  const labels = Object.fromEntries(
    (flags.get('node-labels') ?? [])
      .flatMap((list) => list.split(',').filter(Boolean))
      .map((pair) => partsOf(pair, '=')),
  );
  const attaches = given('enable-controller-attach-detach') ?? String(config.enableControllerAttachDetach ?? true);
  return {
    labels,
    annotations: attaches === 'false' ? {} : { [ATTACH_DETACH]: 'true' },
    taints: taintsOf(given('register-with-taints'), config.registerWithTaints),
    providerId: given('provider-id') ?? textOf(config.providerID),
    pods: given('max-pods') ?? String(typeof config.maxPods === 'number' ? config.maxPods : PODS),
    refused: whyRefused(given, config),
  };
}

function whyRefused(given: (name: string) => string | undefined, config: Record<string, unknown>): string | undefined {
  if (given('cloud-provider') === 'external')
    return 'it is told --cloud-provider=external, and then the cloud provider must see it register uninitialized';
  if ((given('register-node') ?? String(config.registerNode ?? true)) === 'false')
    return 'it is told not to register (--register-node=false)';
  return undefined;
}

/** `--name=value` and `--name value`, wherever they stand. Lines that are comments do not count. */
function flagsIn(text: string): Map<string, string[]> {
  const flags = new Map<string, string[]>();
  const lines = text.split('\n').filter((line) => !line.trimStart().startsWith('#'));
  for (const [, name = '', value = ''] of lines.join('\n').matchAll(/--([a-z][a-z-]*)(?:=|[ \t]+(?!-))([^\s"']*)/g))
    flags.set(name, [...(flags.get(name) ?? []), value]);
  return flags;
}

function configIn(sdk: Sdk, text: string): Record<string, unknown> {
  const config: unknown = sdk.parseYaml(text) ?? {};
  return typeof config === 'object' && config !== null ? (config as Record<string, unknown>) : {};
}

/** `key=value:Effect`, `key:Effect`; a configuration has them as objects. */
function taintsOf(flag: string | undefined, configured: unknown): Taint[] {
  if (flag === undefined) return Array.isArray(configured) ? (configured as Taint[]) : [];
  return flag
    .split(',')
    .filter(Boolean)
    .map((text) => {
      const [pair = '', effect = ''] = text.split(':');
      const [key, value] = partsOf(pair, '=');
      return { key, ...(value === '' ? {} : { value }), effect };
    });
}

function partsOf(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
