import { fields } from '../../engine/sdk/index.ts';

const { server, ca, bootstrapToken, nodeName, certificate, key } = fields;

export const input = {
  type: 'object',
  properties: { server, ca, token: bootstrapToken, nodeName },
  required: ['server', 'ca', 'token', 'nodeName'],
  additionalProperties: false,
} as const;

export const output = {
  type: 'object',
  properties: { certificate, key },
  required: ['certificate', 'key'],
} as const;
