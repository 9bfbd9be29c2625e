import { fields } from '../../engine/sdk/index.ts';

const { nodeName, tlsBootstrapMode, certificate, key } = fields;

export const input = {
  type: 'object',
  properties: { nodeName, tlsBootstrapMode },
  required: ['nodeName'],
  additionalProperties: false,
} as const;

export const output = {
  type: 'object',
  properties: { certificate, key },
  required: ['certificate', 'key'],
} as const;
