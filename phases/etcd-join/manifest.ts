/** The static Pod of etcd, with the arguments of kubeadm. Source: kubeadm, phases/etcd/local.go. */
import {
  type ControlPlaneSettings,
  commandOf,
  etcdClientUrl,
  etcdPeerUrl,
  holds,
  probeHost,
  type StaticPod,
} from '../../engine/node/index.ts';
import type { EtcdMember } from '../../engine/sdk/index.ts';

export interface Machine {
  nodeName: string;
  advertiseAddress: string;
  certificatesDir: string;
  startSeconds: number;
}

export type LocalEtcd = Extract<ControlPlaneSettings['etcd'], { local: unknown }>['local'];

export interface EtcdPodOptions {
  machine: Machine;
  local: LocalEtcd;
  /** Of the cluster. */
  version: string;
  image: string;
  members: readonly EtcdMember[];
}

export function etcdPod({ machine, local, version, image, members }: EtcdPodOptions): StaticPod {
  const { advertiseAddress, certificatesDir, startSeconds } = machine;
  const loopback = advertiseAddress.includes(':') ? '::1' : '127.0.0.1';
  const urlHost = loopback === '::1' ? '[::1]' : loopback;
  const certificates = `${certificatesDir}/etcd`;
  const clientUrl = etcdClientUrl(advertiseAddress);
  const peerUrl = etcdPeerUrl(advertiseAddress);
  const defaults = {
    'advertise-client-urls': clientUrl,
    'cert-file': `${certificates}/server.crt`,
    'client-cert-auth': 'true',
    'data-dir': local.dataDir,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': initialCluster(members, peerUrl, machine.nodeName),
    'initial-cluster-state': 'existing',
    'key-file': `${certificates}/server.key`,
    'listen-client-urls': `https://${urlHost}:2379,${clientUrl}`,
    'listen-metrics-urls': `http://${urlHost}:2381`,
    'listen-peer-urls': peerUrl,
    name: machine.nodeName,
    'peer-cert-file': `${certificates}/peer.crt`,
    'peer-client-cert-auth': 'true',
    'peer-key-file': `${certificates}/peer.key`,
    'peer-trusted-ca-file': `${certificates}/ca.crt`,
    'snapshot-count': '10000',
    'trusted-ca-file': `${certificates}/ca.crt`,
    ...checks(version, image),
  };
  const metrics = metricsOf(local, loopback);
  return {
    name: 'etcd',
    image,
    annotations: { 'kubeadm.kubernetes.io/etcd.advertise-client-urls': clientUrl },
    command: commandOf('etcd', defaults, local.extraArgs, version),
    env: local.extraEnvs,
    requests: {
      cpu: '100m',
      ...(holds('noStorageRequestOfEtcd', version) ? {} : { 'ephemeral-storage': '100Mi' }),
      memory: '100Mi',
    },
    port: metrics.port,
    probes: probesOf(version, { host: metrics.host, scheme: metrics.scheme }),
    startSeconds,
    mounts: [
      { name: 'etcd-data', path: local.dataDir },
      { name: 'etcd-certs', path: certificates },
    ].map(({ name, path }) => ({
      ...{ name, hostPath: path, mountPath: path, readOnly: undefined, pathType: 'DirectoryOrCreate' },
    })),
  };
}

/** Members that have not started have their ID instead of a name, as in kubeadm. */
const initialCluster = (members: readonly EtcdMember[], own: string, nodeName: string): string =>
  members.map(({ id, name, peerUrls }) => `${peerUrls.includes(own) ? nodeName : name || id}=${peerUrls[0]}`).join(',');

/** etcd 3.6 has names of its own for what was experimental before. */
function checks(version: string, image: string): Record<string, string> {
  const [, minor] = /:v?3\.(\d+)/.exec(image) ?? [];
  const isNew = minor === undefined ? holds('etcd36', version) : Number(minor) >= 6;
  if (isNew) return { 'feature-gates': 'InitialCorruptCheck=true', 'watch-progress-notify-interval': '5s' };
  return {
    ...(holds('etcdCorruptCheck', version) ? { 'experimental-initial-corrupt-check': 'true' } : {}),
    ...(holds('etcdOwnHealth', version) ? { 'experimental-watch-progress-notify-interval': '5s' } : {}),
  };
}

function probesOf(version: string, where: { host: string; scheme: 'HTTP' | 'HTTPS' }): StaticPod['probes'] {
  const probe = (path: string) => ({ path, ...where });
  if (holds('etcdLivez', version))
    return { liveness: probe('/livez'), readiness: probe('/readyz'), startup: probe('/readyz') };
  if (holds('etcdOwnHealth', version))
    return {
      liveness: probe('/health?exclude=NOSPACE&serializable=true'),
      startup: probe('/health?serializable=false'),
    };
  return { liveness: probe('/health'), startup: probe('/health') };
}

/** Where the kubelet asks for the health: the first address of the metrics. */
function metricsOf(local: LocalEtcd, loopback: string): { host: string; port: number; scheme: 'HTTP' | 'HTTPS' } {
  const given = local.extraArgs.findLast(({ name }) => name === 'listen-metrics-urls')?.value.split(',')[0] ?? '';
  if (!URL.canParse(given)) return { host: loopback, port: 2381, scheme: 'HTTP' };
  const { protocol, hostname, port } = new URL(given);
  return {
    host: probeHost(hostname.replace(/^\[|\]$/g, '')),
    port: Number(port) || 2381,
    scheme: protocol === 'https:' ? 'HTTPS' : 'HTTP',
  };
}
