import { fields } from '../fields.ts';

/** Inputs that several phases of control planes have, each described once. */
export const controlPlaneFields = {
  clusterConfiguration: {
    ...fields.clusterConfiguration,
    description: "The cluster's ClusterConfiguration, which describes its control planes",
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
    pattern: '^[0-9A-Fa-f:.]+$',
    'x-form': 'be an IP address',
    description: 'IP address at which this control plane can be reached',
  },
  startSeconds: {
    type: 'integer',
    minimum: 10,
    maximum: 86_400,
    default: 240,
    description: 'Seconds in which a component has to start',
  },
  bindPort: {
    type: 'integer',
    minimum: 1,
    maximum: 65535,
    default: 6443,
    description: 'Port of the API server on this machine',
  },
} as const;
