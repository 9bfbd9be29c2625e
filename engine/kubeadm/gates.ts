/**
 * Feature gates of kubeadm that do not affect a join. Source: kubeadm, features/features.go, 1.9 to 1.12 (which read
 * gates from this file) and 1.36.
 */
import type { Gate } from '../sdk/index.ts';

const INIT = 'kubeadm init reads it, to decide';
const CLUSTER = "kubeadm reads it from the cluster's configuration, to decide";

/** The list omits gates that were added after 1.12 and removed again, because no join ever accepted them. */
export const kubeadmGates: readonly Gate[] = [
  {
    name: 'Auditing',
    stage: 'ALPHA',
    default: false,
    since: '1.10',
    until: '1.12',
    what: `${INIT} whether the API server keeps an audit log`,
  },
  {
    name: 'CoreDNS',
    stage: 'ALPHA',
    default: false,
    since: '1.9',
    until: '1.12',
    what: `${INIT} whether the cluster's DNS server is CoreDNS`,
  },
  {
    name: 'HighAvailability',
    stage: 'ALPHA',
    default: false,
    since: '1.9',
    until: '1.12',
    what: `${INIT} whether there may be several control-plane nodes`,
  },
  {
    name: 'NodeLocalCRISocket',
    stage: 'GA',
    default: true,
    since: '1.32',
    what: `${CLUSTER} whether a node keeps its CRI socket in its own file`,
  },
  {
    name: 'PublicKeysECDSA',
    stage: 'DEPRECATED',
    default: false,
    since: '1.19',
    what: `${INIT} the kind of the cluster's keys, which encryptionAlgorithm decides now`,
  },
  {
    name: 'RootlessControlPlane',
    stage: 'ALPHA',
    default: false,
    since: '1.22',
    what: `${INIT} whether the control plane runs without root`,
  },
  {
    name: 'SelfHosting',
    stage: 'BETA',
    default: false,
    since: '1.8',
    until: '1.13',
    what: `${INIT} whether the control plane runs as Pods of its own cluster`,
  },
  {
    name: 'StoreCertsInSecrets',
    stage: 'ALPHA',
    default: false,
    since: '1.8',
    until: '1.11',
    what: `${INIT} whether the control plane's certificates are kept in Secrets`,
  },
  {
    name: 'SupportIPVSProxyMode',
    stage: 'ALPHA',
    default: false,
    since: '1.9',
    until: '1.9',
    what: `${INIT} whether kube-proxy uses IPVS`,
  },
];
