import { fields } from '../../engine/node/index.ts';

const { identity, clusterConfiguration, kubeletConfiguration, configSource } = fields;

export const input = {
  type: 'object',
  properties: {
    identity,
    dynamic: {
      type: 'boolean',
      default: false,
      description: 'Also determine the configSource for the Node (feature gate DynamicKubeletConfig)',
    },
  },
  required: ['identity'],
  additionalProperties: false,
} as const;

export const output = {
  type: 'object',
  properties: { clusterConfiguration, kubeletConfiguration, configSource },
  required: ['clusterConfiguration', 'kubeletConfiguration'],
} as const;
