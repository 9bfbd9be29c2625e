import { fields } from '../../engine/sdk/index.ts';

const { server, ca, bootstrapToken, clusterConfiguration, kubeletConfiguration } = fields;

export const input = {
  type: 'object',
  properties: { server, ca, token: bootstrapToken },
  required: ['server', 'ca', 'token'],
  additionalProperties: false,
} as const;

export const output = {
  type: 'object',
  properties: { clusterConfiguration, kubeletConfiguration },
  required: ['clusterConfiguration', 'kubeletConfiguration'],
} as const;
