import { controlPlaneFields, fields } from '../../engine/node/index.ts';

const { certificatesDir, clusterConfiguration, advertiseAddress } = controlPlaneFields;

export const input = {
  type: 'object',
  properties: { certificatesDir, clusterConfiguration, advertiseAddress, nodeName: fields.nodeName },
  required: ['clusterConfiguration', 'advertiseAddress', 'nodeName'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
