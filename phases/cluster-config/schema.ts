import { fields } from '../../engine/node/index.ts';

const { server, ca, token, clientCertificate, clientKey } = fields;
const { clusterConfiguration, kubeletConfiguration, configSource } = fields;

export const input = {
  type: 'object',
  properties: {
    server,
    ca,
    token,
    clientCertificate,
    clientKey,
    dynamic: {
      type: 'boolean',
      default: false,
      description: 'The kubelet will take its configuration from the cluster (the feature gate DynamicKubeletConfig)',
    },
  },
  required: ['server', 'ca'],
  additionalProperties: false,
} as const;

export const output = {
  type: 'object',
  properties: { clusterConfiguration, kubeletConfiguration, configSource },
  required: ['clusterConfiguration', 'kubeletConfiguration'],
} as const;
