import { controlPlaneFields } from '../../engine/node/index.ts';

const { certificatesDir, clusterConfiguration, advertiseAddress, bindPort } = controlPlaneFields;

export const input = {
  type: 'object',
  properties: {
    certificatesDir,
    clusterConfiguration,
    advertiseAddress,
    bindPort,
    startSeconds: {
      type: 'integer',
      minimum: 10,
      maximum: 86_400,
      default: 240,
      description: 'Seconds in which a component has to start',
    },
  },
  required: ['clusterConfiguration', 'advertiseAddress'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
