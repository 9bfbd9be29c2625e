/** Reads how a kubelet will register: from its unit, the files that the unit reads, and its configuration. */
import type { Sdk } from '../../engine/node/sdk.ts';
import type { Ports } from '../../engine/sdk/index.ts';

export interface Taint {
  key: string;
  value?: string;
  effect: string;
}

export interface Registration {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  taints: Taint[];
  providerId: string | undefined;
  /** Maximum number of Pods. */
  pods: string;
  /** Reason why the kubelet must register by itself. */
  refused: string | undefined;
}

/** In the order of kubeadm's unit; a later flag overrides an earlier one. */
const FLAG_FILES = ['/var/lib/kubelet/kubeadm-flags.env', '/etc/default/kubelet', '/etc/sysconfig/kubelet'];
/** Source: the kubelet, nodestatus and kubelet_node_status.go, `initialNode`. */
const ATTACH_DETACH = 'volumes.kubernetes.io/controller-managed-attach-detach';
const PODS = 110;

export async function readRegistration(
  sdk: Sdk,
  { files, services }: Pick<Ports, 'files' | 'services'>,
): Promise<Registration> {
  const texts = await Promise.all(FLAG_FILES.map(async (path) => (await files.read(path))?.toString('utf8') ?? ''));
  const flags = flagsIn([(await services.unit('kubelet')) ?? '', ...texts].join('\n'));
  const flag = (name: string): string | undefined => flags.get(name)?.at(-1);
  const config = configIn(sdk, (await files.read(sdk.node.paths.kubeletConfig))?.toString('utf8') ?? '');

  const labels = Object.fromEntries(
    (flags.get('node-labels') ?? [])
      .flatMap((list) => list.split(',').filter(Boolean))
      .map((pair) => partsOf(pair, '=')),
  );
  const attaches = flag('enable-controller-attach-detach') ?? String(config.enableControllerAttachDetach ?? true);
  return {
    labels,
    annotations: attaches === 'false' ? {} : { [ATTACH_DETACH]: 'true' },
    taints: taintsOf(flag('register-with-taints'), config.registerWithTaints),
    providerId: flag('provider-id') ?? textOf(config.providerID),
    pods: flag('max-pods') ?? String(typeof config.maxPods === 'number' ? config.maxPods : PODS),
    refused: refusalReason(flag, config),
  };
}

function refusalReason(
  flag: (name: string) => string | undefined,
  config: Record<string, unknown>,
): string | undefined {
  if (flag('cloud-provider') === 'external')
    return 'its flag --cloud-provider=external means that the cloud provider must see it register uninitialized';
  if ((flag('register-node') ?? String(config.registerNode ?? true)) === 'false')
    return 'its flag --register-node=false turns registration off';
  return undefined;
}

/** Finds `--name=value` and `--name value` anywhere except in comments. */
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

/** Parses `key=value:Effect` and `key:Effect`; the configuration has objects. */
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
