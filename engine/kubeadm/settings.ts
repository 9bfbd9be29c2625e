/**
 * The settings of a configuration for joining, in one form for all versions. `fields.ts` knows their paths in each
 * version.
 */
import { durationMs } from '../documents/durations.ts';
import { Secret } from '../sdk/index.ts';
import { type Field, fieldValue } from './fields.ts';
import type { Version } from './versions.ts';

export interface TokenDiscovery {
  by: 'token';
  token: Secret;
  /**
   * host:port, at least one. Up to v1alpha3 there may be several: kubeadm 1.9 used all of them, later versions use the
   * first.
   */
  apiServers: string[];
  /** `sha256:` and hex digits in any case. They are checked even if `unsafeSkipCaVerification` is set. */
  caCertHashes: string[];
  unsafeSkipCaVerification: boolean;
}

export interface FileDiscovery {
  by: 'file';
  /** A path, or an https:// URL. */
  file: string;
}

export interface Taint {
  key: string;
  value?: string;
  effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

export interface KubeletArgument {
  /** Without dashes. */
  name: string;
  value: string;
}

/** A field is undefined if the file does not set it: the default applies. */
export interface ControlPlane {
  advertiseAddress: string | undefined;
  bindPort: number | undefined;
  certificateKey: Secret | undefined;
}

export interface JoinSettings {
  discovery: TokenDiscovery | FileDiscovery;
  /** Absent only if a discovery file may contain credentials. */
  tlsBootstrapToken: Secret | undefined;
  /** The kubelet argument hostname-override, or else the name of the node registration. */
  nodeName: string | undefined;
  /** A unix:// URL. */
  criSocket: string | undefined;
  taints: Taint[] | undefined;
  /** In the order of the list. Those of a mapping are sorted by name, as in kubeadm. */
  kubeletExtraArgs: KubeletArgument[];
  ignorePreflightErrors: string[];
  caCertPath: string | undefined;
  /** Directory. */
  patches: string | undefined;
  skipPhases: string[];
  /** Undefined for a worker. */
  controlPlane: ControlPlane | undefined;
  dryRun: boolean;
  timeouts: Partial<Record<TimeoutName, number>>;
  /** From kubeadm 1.9 to 1.12. Later versions read both from the cluster. */
  featureGates: Record<string, boolean>;
  clusterName: string | undefined;
  /** For images of the control plane. Here, the kubelet pulls them. */
  imagePullPolicy: string | undefined;
  imagePullSerial: boolean | undefined;
}

const TIMEOUTS = {
  discoveryMs: 'discoveryTimeout',
  tlsBootstrapMs: 'tlsBootstrapTimeout',
  kubeletHealthCheckMs: 'kubeletHealthCheckTimeout',
  kubernetesApiCallMs: 'kubernetesApiCallTimeout',
  controlPlaneComponentHealthCheckMs: 'controlPlaneComponentHealthCheckTimeout',
  etcdApiCallMs: 'etcdApiCallTimeout',
  upgradeManifestsMs: 'upgradeManifestsTimeout',
} as const satisfies Record<string, Field>;
export type TimeoutName = keyof typeof TIMEOUTS;
export const TIMEOUT_FIELDS: readonly Field[] = Object.values(TIMEOUTS);

/** Converts a valid document: its schema and the rules have passed. */
export function settingsOf(version: Version, document: object): JoinSettings {
  // The schema has checked each of these types.
  const of = <T>(field: Field) => fieldValue(version, document, field) as T | undefined;
  const discovery = discoveryOf(version, document);
  const socket = of<string>('criSocket');
  return {
    discovery,
    tlsBootstrapToken:
      of<Secret>('tlsBootstrapToken') ??
      of<Secret>('token') ??
      (discovery.by === 'token' ? discovery.token : undefined),
    nodeName: hostnameOverride(argumentsOf(of('kubeletExtraArgs'))) ?? of('nodeName'),
    criSocket: socket === undefined ? undefined : socketUrl(socket),
    taints: of<(Taint & { timeAdded?: unknown })[]>('taints')?.map(({ timeAdded: _, ...taint }) => taint),
    kubeletExtraArgs: argumentsOf(of('kubeletExtraArgs')),
    ignorePreflightErrors: of('ignorePreflightErrors') ?? [],
    caCertPath: of('caCertPath'),
    patches: of('patches'),
    skipPhases: of('skipPhases') ?? [],
    controlPlane: controlPlaneOf(version, document),
    dryRun: of('dryRun') ?? false,
    timeouts: Object.fromEntries(
      Object.entries(TIMEOUTS)
        .filter(([, field]) => of(field) !== undefined)
        .map(([name, field]) => [name, durationMs(of(field) ?? '')]),
    ),
    featureGates: of('featureGates') ?? {},
    clusterName: of('clusterName'),
    imagePullPolicy: of('imagePullPolicy'),
    imagePullSerial: of('imagePullSerial'),
  };
}

/** Up to v1alpha3 a boolean, then a mapping that may be empty. */
export function controlPlaneOf(version: Version, document: object): ControlPlane | undefined {
  const of = <T>(field: Field) => fieldValue(version, document, field) as T | undefined;
  if ((of('controlPlane') ?? false) === false) return undefined;
  return {
    advertiseAddress: of('advertiseAddress'),
    bindPort: of<number>('bindPort') || undefined, // in Go, 0 is absent
    certificateKey: of('certificateKey'),
  };
}

function discoveryOf(version: Version, document: object): JoinSettings['discovery'] {
  const of = <T>(field: Field) => fieldValue(version, document, field) as T | undefined;
  const file = of<string>('discoveryFile');
  if (file !== undefined) return { by: 'file', file: file.startsWith('file:') ? pathOfUrl(file) : file };
  return {
    by: 'token',
    token: of<Secret>('discoveryToken') ?? of<Secret>('token') ?? new Secret(''), // the rules require one of them
    apiServers: [of<string | string[]>('apiServers') ?? []].flat(),
    caCertHashes: of('caCertHashes') ?? [],
    unsafeSkipCaVerification: of('unsafeSkipCaVerification') ?? false,
  };
}

/** The path of a file:/// URL, with %-escapes decoded. Throws a URIError for an invalid escape. */
export const pathOfUrl = (url: string): string => decodeURIComponent(url.slice('file://'.length));

/** kubeadm adds the scheme to a bare path. */
export const socketUrl = (socket: string): string => (socket.startsWith('/') ? `unix://${socket}` : socket);

/** The arguments in either form. Empty for a form that the schema refuses. */
export function argumentsOf(value: unknown): KubeletArgument[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.map((item) => ({ name: item?.name, value: item?.value ?? '' }));
  const names = Object.keys(value).sort();
  return names.map((name) => ({ name, value: (value as Record<string, string>)[name] ?? '' }));
}

/** The last one counts. kubeadm trims it and converts it to lower case; an empty one is ignored. */
export const hostnameOverride = (args: readonly KubeletArgument[]): string | undefined =>
  args
    .findLast(({ name }) => name === 'hostname-override')
    ?.value.trim()
    .toLowerCase() || undefined;
