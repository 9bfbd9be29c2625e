import { fields } from '../fields.ts';

/** Inputs that several phases of control planes have, each described once. */
export const controlPlaneFields = {
  clusterConfiguration: {
    ...fields.clusterConfiguration,
    description: "The cluster's ClusterConfiguration, which describes its control planes",
  },
  certificateKey: {
    type: 'string',
    writeOnly: true,
    pattern: '^[0-9A-Fa-f]{64}$',
    'x-form': 'be 64 hexadecimal digits, as kubeadm init phase upload-certs --upload-certs prints them',
    description: 'Key that decrypts the certificates which all control planes share',
  },
  certificatesDir: {
    type: 'string',
    default: '/etc/kubernetes/pki',
    pattern: '^(/[^/\\x00-\\x1f\\x7f]+)+$',
    'x-form': 'be an absolute path without a slash at the end',
    description: "Directory of the cluster's certificates",
  },
  advertiseAddress: {
    type: 'string',
    // Four numbers, or at least two colons: an address with a port is neither.
    pattern: '^([0-9]{1,3}([.][0-9]{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$',
    'x-form': 'be an IP address',
    description: 'IP address at which this control plane can be reached',
  },
  bindPort: {
    type: 'integer',
    minimum: 1,
    maximum: 65535,
    default: 6443,
    description: 'Port of the API server on this machine',
  },
  patches: {
    type: 'string',
    description:
      'Directory of patches of static Pods: kube-apiserver[suffix][+strategic|+merge|+json].yaml, and others',
  },
  startTimeout: {
    type: 'string',
    default: '4m',
    pattern: '^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$',
    'x-form': 'be a duration such as 4m or 90s',
    description: 'Time in which a component has to start',
  },
} as const;
