import { controlPlaneFields, fields } from '../../engine/node/index.ts';

const { certificateKey, certificatesDir, clusterConfiguration } = controlPlaneFields;

export const input = {
  type: 'object',
  properties: {
    identity: fields.identity,
    certificateKey,
    certificatesDir,
    clusterConfiguration,
  },
  required: ['identity', 'clusterConfiguration'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
