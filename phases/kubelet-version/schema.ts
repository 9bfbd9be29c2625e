import { fields } from '../../engine/node/index.ts';

export const input = { type: 'object', properties: {}, additionalProperties: false } as const;

export const output = {
  type: 'object',
  properties: { kubeletVersion: fields.kubeletVersion },
  required: ['kubeletVersion'],
} as const;
