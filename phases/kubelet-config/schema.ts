import { fields } from '../../engine/node/index.ts';

const { ca, nodeName, criSocket, caCertPath, kubeletVersion, configSource, patches } = fields;
const { clusterConfiguration, kubeletConfiguration } = fields;

/** These values are written into a file of one line. */
const line = { type: 'string', pattern: '^[^\\r\\n]*$', 'x-form': 'be one line' } as const;

export const input = {
  type: 'object',
  properties: {
    ca,
    nodeName,
    hostName: { type: 'string', description: 'Host name of the machine; a different node name becomes a kubelet flag' },
    criSocket,
    caCertPath,
    kubeletVersion,
    clusterConfiguration,
    kubeletConfiguration,
    configSource,
    patches,
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
      description: 'Taints with which the Node registers',
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
      description: 'Extra arguments of the kubelet (name and value); they override those that Joinery sets',
    },
  },
  required: ['ca', 'nodeName', 'hostName', 'kubeletConfiguration'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
