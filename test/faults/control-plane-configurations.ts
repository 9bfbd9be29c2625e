/** ClusterConfigurations and addresses with which a control plane cannot join. */
import localApiEndpoint from '../../phases/local-api-endpoint/index.ts';
import { SERVER } from '../helpers/cluster.ts';
import { ADDRESS, CLUSTER, type Fault } from '../helpers/control-plane-faults.ts';

const CONFIG =
  "E_CLUSTER_CONFIGURATION: cannot use the cluster's configuration (ConfigMap kube-system/kubeadm-config): ";
const NO_ADDRESS = 'E_ADVERTISE_ADDRESS: cannot determine the address of this control plane: ';

const configured = (title: string, changed: object, error: string, input: object = {}): Fault => ({
  title,
  phase: localApiEndpoint,
  input: {
    clusterConfiguration: { ...CLUSTER, ...changed },
    server: SERVER,
    apiserverAdvertiseAddress: ADDRESS,
    ...input,
  },
  error,
});
const at = (title: string, apiserverAdvertiseAddress: string | undefined, error: string): Fault =>
  configured(title, {}, error, { apiserverAdvertiseAddress });

export const configurations: Fault[] = [
  configured(
    'no controlPlaneEndpoint',
    { controlPlaneEndpoint: undefined },
    `${CONFIG}controlPlaneEndpoint is missing: control planes can only join a cluster with a stable endpoint`,
  ),
  configured(
    'an empty controlPlaneEndpoint',
    { controlPlaneEndpoint: '' },
    `${CONFIG}controlPlaneEndpoint is missing: control planes can only join a cluster with a stable endpoint`,
  ),
  configured(
    'a controlPlaneEndpoint that is a URL',
    { controlPlaneEndpoint: 'https://a:6443' },
    `${CONFIG}controlPlaneEndpoint is not host or host:port`,
  ),
  configured(
    'networking that is a list',
    { networking: [] },
    `${CONFIG}networking is [], not a mapping, networking.serviceSubnet is missing`,
  ),
  configured(
    'arguments without a name',
    { apiServer: { extraArgs: [{ value: 'x' }] } },
    `${CONFIG}apiServer.extraArgs[0].name is missing`,
  ),
  configured(
    'a volume without a path',
    { scheduler: { extraVolumes: [{ name: 'x' }] } },
    `${CONFIG}scheduler.extraVolumes[0].hostPath is missing, scheduler.extraVolumes[0].mountPath is missing`,
  ),
  configured(
    'a data directory that leaves its parent',
    { etcd: { local: { dataDir: '/a/../etc' } } },
    `${CONFIG}etcd.local.dataDir is /a/../etc, not an absolute path`,
  ),
  configured(
    'a directory of certificates that is relative',
    { certificatesDir: 'pki' },
    `${CONFIG}certificatesDir is pki, not an absolute path`,
  ),
  configured(
    'an unknown algorithm',
    { encryptionAlgorithm: 'DSA' },
    `${CONFIG}encryptionAlgorithm must be one of RSA-2048, RSA-3072, RSA-4096, ECDSA-P256, ECDSA-P384`,
  ),
  configured(
    'a validity that is not a duration',
    { certificateValidityPeriod: 'a year' },
    `${CONFIG}certificateValidityPeriod is not a duration such as 8760h`,
  ),
  configured(
    'a gate that is a word',
    { featureGates: { PublicKeysECDSA: 'yes' } },
    `${CONFIG}featureGates.PublicKeysECDSA is yes, not true or false`,
  ),
  at('a loopback address', '127.0.0.1', `${NO_ADDRESS}other machines cannot reach this one at 127.0.0.1`),
  at('the IPv6 loopback address', '::1', `${NO_ADDRESS}other machines cannot reach this one at ::1`),
  at('a link-local address', '169.254.0.1', `${NO_ADDRESS}other machines cannot reach this one at 169.254.0.1`),
  at('a multicast address', '224.0.0.1', `${NO_ADDRESS}other machines cannot reach this one at 224.0.0.1`),
  at(
    'an IPv6 address beside IPv4 Services',
    '2001:db8::2',
    `${NO_ADDRESS}the API server does not start at 2001:db8::2, because the first subnet of Services, 10.96.0.0/12, is of the other IP family`,
  ),
  at(
    'no address, and no default route',
    undefined,
    `${NO_ADDRESS}this machine has no address on an interface with a default route`,
  ),
];
