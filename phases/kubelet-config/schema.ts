import { fields } from '../../engine/node/index.ts';

const { ca, nodeName, criSocket, caCertPath, kubeletVersion, kubeletConfiguration, configSource, patches } = fields;

/** They end up in a file of one line. */
const line = { type: 'string', pattern: '^[^\\r\\n]*$', 'x-form': 'be one line' } as const;

export const input = {
  type: 'object',
  properties: {
    ca,
    nodeName,
    hostName: { type: 'string', description: "The machine's own name; another node name is told to the kubelet" },
    criSocket,
    caCertPath,
    kubeletVersion,
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
  },
  required: ['ca', 'nodeName', 'hostName', 'kubeletConfiguration'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
