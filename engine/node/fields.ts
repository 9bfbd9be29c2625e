import { ca, identity, server } from './identity.ts';

/** Text that is written into a file of one line. */
const oneLine = {
  type: 'string',
  pattern: '^[^\\x00-\\x1f\\x7f]*$',
  'x-form': 'be one line without control characters',
} as const;

/** Inputs that several phases have, each described once. */
export const fields = {
  identity,
  server,
  ca,
  bootstrapToken: {
    type: 'string',
    writeOnly: true,
    pattern: '^[a-z0-9]{6}\\.[a-z0-9]{16}$',
    'x-form': 'be 6 and 16 lower-case letters or digits, separated by a dot, as kubeadm token create prints it',
    description: 'Bootstrap token that may authenticate',
  },
  tlsBootstrapMode: {
    enum: ['direct', 'kubelet'],
    default: 'direct',
    description: "Client that requests the node's certificate: this command (direct) or, like kubeadm, the kubelet",
  },
  certificate: { type: 'string', description: "The node's client certificate, PEM" },
  key: { type: 'string', writeOnly: true, description: 'Its key, PEM' },
  /** A DNS-1123 subdomain. */
  nodeName: {
    type: 'string',
    'x-lower-case': true,
    pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
    'x-form': 'be a DNS name: lower-case letters, digits, - and .',
    maxLength: 253,
    description: 'Name of the Node',
  },
  kubeletVersion: { type: 'string', description: 'Version of the kubelet, as kubelet --version prints it' },
  configSource: {
    type: 'object',
    description: 'The spec.configSource of the Node; absent if DynamicKubeletConfig is off',
  },
  clusterConfiguration: {
    type: 'object',
    description: "The cluster's ClusterConfiguration, as kubeadm-config holds it",
    properties: { kubernetesVersion: { type: 'string', pattern: '^v?1\\.\\d+\\.' } },
    required: ['kubernetesVersion'],
  },
  kubeletConfiguration: {
    type: 'object',
    description: "The KubeletConfiguration of the cluster's kubelets",
    properties: { kind: { const: 'KubeletConfiguration' }, cgroupDriver: { enum: ['systemd', 'cgroupfs'] } },
    required: ['kind'],
  },
  patches: {
    type: 'string',
    description: 'Directory of kubelet patches: kubeletconfiguration[suffix][+strategic|+merge|+json].yaml',
  },
  /** These values are written into a file of one line. */
  argumentName: {
    type: 'string',
    pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
    'x-form': 'be an argument without its dashes',
  },
  argumentValue: oneLine,
  taint: {
    type: 'object',
    properties: {
      key: oneLine,
      value: oneLine,
      effect: { enum: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] },
    },
    required: ['key', 'effect'],
    additionalProperties: false,
  },
  criSocket: {
    type: 'string',
    pattern: '^(unix://)?/.',
    'x-form': 'be unix:// and an absolute path',
    description: 'Socket of the container runtime (default: the only socket on this machine)',
  },
  ignorePreflightErrors: {
    type: 'array',
    items: { type: 'string' },
    description: "Checks whose errors become warnings, such as Swap; 'all' for every check",
  },
  ignoreChecksErrors: {
    type: 'array',
    items: { type: 'string' },
    description: 'Deprecated alias of --ignore-preflight-errors',
  },
  caCertPath: {
    type: 'string',
    default: '/etc/kubernetes/pki/ca.crt',
    pattern: '^/.*\\.crt$',
    'x-form': 'be an absolute path that ends in .crt',
    description: 'Path of the cluster CA',
  },
} as const;
