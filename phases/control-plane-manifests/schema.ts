import { controlPlaneFields } from '../../engine/node/index.ts';

const { certificatesDir, clusterConfiguration, advertiseAddress, bindPort, startTimeout } = controlPlaneFields;

export const input = {
  type: 'object',
  properties: {
    certificatesDir,
    clusterConfiguration,
    advertiseAddress,
    bindPort,
    startTimeout,
    patches: controlPlaneFields.patches,
  },
  required: ['clusterConfiguration', 'advertiseAddress'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
