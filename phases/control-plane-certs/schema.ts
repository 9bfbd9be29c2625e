import { controlPlaneFields, fields } from '../../engine/node/index.ts';

const { certificatesDir, clusterConfiguration, advertiseAddress } = controlPlaneFields;

export const input = {
  type: 'object',
  properties: { certificatesDir, clusterConfiguration, nodeName: fields.nodeName, advertiseAddress },
  required: ['clusterConfiguration', 'nodeName', 'advertiseAddress'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
