import { controlPlaneFields } from '../../engine/node/index.ts';

const { advertiseAddress, bindPort } = controlPlaneFields;

export const input = {
  type: 'object',
  properties: { advertiseAddress, bindPort },
  required: ['advertiseAddress'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
