/** The certificates of a control plane beside its CAs. Source: kubeadm, phases/certs/certlist.go. */
import { apiAddress, type ControlPlaneSettings, holds } from '../../engine/node/index.ts';
import { bytesOfAddress, type IssueRequest, textOfAddress } from '../../engine/pki/index.ts';

export interface Leaf {
  /** Path below the directory of the certificates, without its suffix. */
  name: string;
  /** The CA that issues it. */
  authority: 'ca' | 'front-proxy-ca' | 'etcd/ca';
  commonName: string;
  organizations: string[];
  use: IssueRequest['use'];
  altNames: string[];
  why: string;
}

type Named = Pick<Leaf, 'name' | 'authority' | 'why'>;

/** Those of every control plane, and then those of one with an etcd member. */
export const LEAF_NAMES = [
  { name: 'apiserver', authority: 'ca', why: 'of the API server' },
  { name: 'apiserver-kubelet-client', authority: 'ca', why: 'with which the API server calls kubelets' },
  { name: 'front-proxy-client', authority: 'front-proxy-ca', why: 'with which the API server calls aggregated APIs' },
  { name: 'etcd/server', authority: 'etcd/ca', why: 'of the etcd member, for its clients' },
  { name: 'etcd/peer', authority: 'etcd/ca', why: 'of the etcd member, for the other members' },
  { name: 'etcd/healthcheck-client', authority: 'etcd/ca', why: 'that checks the health of etcd' },
  { name: 'apiserver-etcd-client', authority: 'etcd/ca', why: 'with which the API server calls etcd' },
] as const satisfies readonly Named[];
type LeafName = (typeof LEAF_NAMES)[number]['name'];

interface Machine {
  nodeName: string;
  advertiseAddress: string;
}

export function leavesOf(settings: ControlPlaneSettings, machine: Machine): Leaf[] {
  const subjects = subjectsOf(settings, machine);
  const isNeeded = ({ authority }: Named) => authority !== 'etcd/ca' || 'local' in settings.etcd;
  return LEAF_NAMES.filter(isNeeded).map((leaf) => ({ ...leaf, ...subjects[leaf.name] }));
}

type Subject = Pick<Leaf, 'commonName' | 'organizations' | 'use' | 'altNames'>;

function subjectsOf(
  settings: ControlPlaneSettings,
  { nodeName, advertiseAddress }: Machine,
): Record<LeafName, Subject> {
  const etcd = 'local' in settings.etcd ? settings.etcd.local : undefined;
  const client = (commonName: string, organizations: string[]): Subject => ({
    commonName,
    organizations,
    use: 'client',
    altNames: [],
  });
  const member = (extra: readonly string[] = []): Subject => ({
    commonName: nodeName,
    organizations: [],
    use: 'server and client',
    altNames: ordered([nodeName, 'localhost', advertiseAddress, '127.0.0.1', '::1', ...extra]),
  });
  const etcdClients = holds('adminGroup', settings.version) ? [] : ['system:masters'];
  return {
    apiserver: {
      commonName: 'kube-apiserver',
      organizations: [],
      use: 'server',
      altNames: ordered(apiServerNames(settings, nodeName, advertiseAddress)),
    },
    'apiserver-kubelet-client': client('kube-apiserver-kubelet-client', kubeletClientGroups(settings.version)),
    'front-proxy-client': client('front-proxy-client', []),
    'etcd/server': member(etcd?.serverCertSans),
    'etcd/peer': member(etcd?.peerCertSans),
    'etcd/healthcheck-client': client('kube-etcd-healthcheck-client', etcdClients),
    'apiserver-etcd-client': client('kube-apiserver-etcd-client', etcdClients),
  };
}

function apiServerNames(
  { serviceSubnet, dnsDomain, endpointHost, certSans }: ControlPlaneSettings,
  nodeName: string,
  advertiseAddress: string,
): string[] {
  const service = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', `kubernetes.default.svc.${dnsDomain}`];
  return [nodeName, ...service, apiAddress(serviceSubnet) ?? '', advertiseAddress, endpointHost, ...certSans];
}

/** From 1.36.1 on, kubeadm gives the user of this certificate its rights by a role instead of a group. */
function kubeletClientGroups(version: string): string[] {
  if (!holds('adminGroup', version)) return ['system:masters'];
  const hasRole = holds('kubeletClientRole', version) && !version.startsWith('v1.36.0');
  return hasRole ? [] : ['kubeadm:cluster-admins'];
}

/** DNS names without duplicates and sorted, then addresses without duplicates, as kubeadm orders them. */
function ordered(names: readonly string[]): string[] {
  const addresses = names.flatMap((name) => bytesOfAddress(name) ?? []).map(textOfAddress);
  const others = names.filter((name) => name !== '' && bytesOfAddress(name) === undefined);
  return [...[...new Set(others)].sort(), ...new Set(addresses)];
}

/** A name that a certificate can have: an IP address or a DNS name, which may begin with `*.`. */
export const isAltName = (name: string): boolean =>
  bytesOfAddress(name) !== undefined ||
  /^(\*\.)?[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/i.test(name);
