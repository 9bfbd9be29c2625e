/** Manifests of static Pods, byte for byte as kubeadm writes them. Source: kubeadm, util/staticpod. */
import { durationMs } from '../../documents/durations.ts';
import { fail } from '../../sdk/errors.ts';
import type { Files, Log } from '../../sdk/ports.ts';
import { goYaml } from '../../sdk/yaml-dialects.ts';
import { applyPatches } from '../patches.ts';
import { holds } from '../release-facts.ts';
import type { Argument, HostPathMount } from './settings.ts';

export interface Probe {
  path: string;
  /** Empty for the address of the Pod. */
  host: string;
  scheme: 'HTTP' | 'HTTPS';
}

/** The seconds of a duration such as `4m`. */
export const secondsOf = (duration: string): number => durationMs(duration) / 1000;

export interface StaticPod {
  name: string;
  image: string;
  /** The program and its arguments. */
  command: string[];
  annotations?: Record<string, string>;
  env?: object[];
  requests: Record<string, string>;
  port: number;
  probes: { liveness: Probe; readiness?: Probe; startup: Probe };
  /** How long the component may take to start. */
  startSeconds: number;
  mounts: HostPathMount[];
}

/** The host for a probe of a component that listens on `address`: of all addresses, the kubelet takes the Pod's. */
export const probeHost = (address: string): string => (address === '0.0.0.0' || address === '::' ? '' : address);

/**
 * The program with its arguments: the defaults sorted by name, without those that the user sets, and then the user's.
 * Up to 1.35, kubeadm sorts all of them.
 */
export function commandOf(
  program: string,
  defaults: Readonly<Record<string, string>>,
  extra: readonly Argument[],
  version: string,
): string[] {
  const own = Object.entries(defaults).filter(([name]) => !extra.some((argument) => argument.name === name));
  const sorted = own.map(([name, value]) => ({ name, value })).sort(byName);
  const all = holds('argumentsOfComponentsInOrder', version)
    ? [...sorted, ...extra]
    : [...sorted, ...extra].sort(byName);
  return [program, ...all.map(({ name, value }) => `--${name}=${value}`)];
}

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : Number(a.name > b.name));

/** The manifest as YAML; `version` is that of the cluster. */
export const manifestOf = (pod: StaticPod, version: string): string => goYaml(podOf(pod, version));

/** The manifest after the patches of the directory, if there is one. Throws E_PATCH. */
export async function patchedManifest(
  ports: { files: Files; log: Log },
  pod: StaticPod,
  { version, patches }: { version: string; patches: string | undefined },
): Promise<string> {
  const document = podOf(pod, version);
  if (patches === undefined) return goYaml(document);
  const target = { name: pod.name, kind: 'Pod', text: `the static Pod ${pod.name}`, listKeys: POD_LIST_KEYS };
  const patched = await applyPatches(document, patches, ports, target);
  const { metadata, spec } = patched as { metadata?: { name?: unknown }; spec?: { containers?: unknown } };
  if (typeof metadata?.name === 'string' && Array.isArray(spec?.containers) && spec.containers.length > 0)
    return goYaml(patched);
  throw fail('E_PATCH', { file: patches, what: `the patches leave ${pod.name} without a name or containers` });
}

/** The lists of a Pod whose items strategic patches merge. Source: the Kubernetes API. */
const POD_LIST_KEYS = {
  containers: 'name',
  initContainers: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
  volumeDevices: 'devicePath',
  env: 'name',
  ports: 'containerPort',
  hostAliases: 'ip',
  imagePullSecrets: 'name',
  topologySpreadConstraints: 'topologyKey',
};

function podOf(pod: StaticPod, version: string): Record<string, unknown> {
  const { name, annotations } = pod;
  return present({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: present({
      annotations,
      creationTimestamp: holds('noCreationTimestamp', version) ? undefined : null,
      labels: { component: name, tier: 'control-plane' },
      name,
      namespace: 'kube-system',
    }),
    spec: present({
      containers: [containerOf(pod, version)],
      hostNetwork: true,
      priority: holds('priorityOfComponents', version) ? 2_000_001_000 : undefined,
      priorityClassName: 'system-node-critical',
      securityContext: holds('seccompOfComponents', version)
        ? { seccompProfile: { type: 'RuntimeDefault' } }
        : undefined,
      volumes: [...pod.mounts].sort(byName).map(({ name, hostPath: path, pathType: type }) => ({
        hostPath: { path, type },
        name,
      })),
    }),
    status: {},
  });
}

function containerOf(pod: StaticPod, version: string): object {
  const hasName = holds('probePortName', version);
  const { liveness, readiness, startup } = pod.probes;
  const probe = ({ host, path, scheme }: Probe, numbers: object) => ({
    ...numbers,
    httpGet: present({ host: host || undefined, path, port: hasName ? 'probe-port' : pod.port, scheme }),
    timeoutSeconds: 15,
  });
  return present({
    command: pod.command,
    env: pod.env?.length === 0 ? undefined : pod.env,
    image: pod.image,
    imagePullPolicy: 'IfNotPresent',
    livenessProbe: probe(liveness, { failureThreshold: 8, initialDelaySeconds: 10, periodSeconds: 10 }),
    name: pod.name,
    ports: hasName ? [{ containerPort: pod.port, name: 'probe-port', protocol: 'TCP' }] : undefined,
    readinessProbe: readiness && probe(readiness, { failureThreshold: 3, periodSeconds: 1 }),
    resources: { requests: pod.requests },
    startupProbe: probe(startup, {
      failureThreshold: Math.ceil(pod.startSeconds / 10),
      initialDelaySeconds: 10,
      periodSeconds: 10,
    }),
    volumeMounts: pod.mounts.map(({ mountPath, name, readOnly }) => present({ mountPath, name, readOnly })),
  });
}

/** Without the fields that are undefined. */
const present = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
