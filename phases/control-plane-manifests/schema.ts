import { controlPlaneFields } from '../../engine/node/index.ts';

const { certificatesDir, clusterConfiguration, advertiseAddress, bindPort, startSeconds } = controlPlaneFields;

export const input = {
  type: 'object',
  properties: {
    certificatesDir,
    clusterConfiguration,
    advertiseAddress,
    bindPort,
    startSeconds,
  },
  required: ['clusterConfiguration', 'advertiseAddress'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
