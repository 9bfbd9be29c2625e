import { fields } from '../../engine/sdk/index.ts';

const { ca, nodeName, criSocket, caCertPath, kubeletVersion, kubeletConfiguration, configSource } = fields;

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
  },
  required: ['ca', 'nodeName', 'hostName', 'kubeletConfiguration'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
