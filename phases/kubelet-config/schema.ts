import { fields } from '../../engine/node/index.ts';

const { ca, nodeName, criSocket, caCertPath, kubeletVersion, configSource, patches } = fields;
const { clusterConfiguration, kubeletConfiguration } = fields;

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
      items: fields.taint,
      description: 'Taints with which the Node registers',
    },
    kubeletExtraArgs: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          name: fields.argumentName,
          value: fields.argumentValue,
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
