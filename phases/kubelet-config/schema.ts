import { fields } from '../../engine/sdk/index.ts';

const {
  server,
  ca,
  token,
  clientCertificate,
  clientKey,
  nodeName,
  criSocket,
  caCertPath,
  kubeletVersion,
  configSource,
} = fields;

/** They end up in a file of one line. */
const line = { type: 'string', pattern: '^[^\\r\\n]*$', 'x-form': 'be one line' } as const;

export const input = {
  type: 'object',
  properties: {
    server,
    ca,
    token,
    clientCertificate,
    clientKey,
    nodeName,
    hostName: { type: 'string', description: "The machine's own name; another node name is told to the kubelet" },
    criSocket,
    caCertPath,
    kubeletVersion,
    patches: { type: 'string', description: "Directory with patches of the kubelet's configuration" },
    taints: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          key: line,
          value: line,
          effect: { enum: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] },
        },
        required: ['key', 'effect'],
        additionalProperties: false,
      },
      description: 'Taints that the Node registers with',
    },
    kubeletExtraArgs: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          name: {
            type: 'string',
            pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
            'x-form': 'be an argument without its dashes',
          },
          value: line,
        },
        required: ['name'],
        additionalProperties: false,
      },
      description: 'Further arguments of the kubelet, as name and value; they win over its own',
    },
    dynamic: {
      type: 'boolean',
      default: false,
      description: 'The kubelet will take its configuration from the cluster (the feature gate DynamicKubeletConfig)',
    },
  },
  required: ['server', 'ca', 'nodeName', 'hostName'],
  additionalProperties: false,
} as const;

export const output = { type: 'object', properties: { configSource } } as const;
