import { fields } from '../../engine/node/index.ts';

const { nodeName, tlsBootstrapMode, certificate, key } = fields;

export const input = {
  type: 'object',
  properties: { nodeName, tlsBootstrapMode },
  required: ['nodeName'],
  additionalProperties: false,
} as const;

export const output = {
  type: 'object',
  properties: { certificate: { ...certificate, 'x-known': 'after-run' }, key: { ...key, 'x-known': 'after-run' } },
  required: ['certificate', 'key'],
} as const;
