import { fields } from '../../engine/sdk/index.ts';

const { server, ca, token, clientCertificate, clientKey, nodeName, certificate, key } = fields;

export const input = {
  type: 'object',
  properties: { server, ca, token, clientCertificate, clientKey, nodeName },
  required: ['server', 'ca', 'nodeName'],
  additionalProperties: false,
} as const;

export const output = {
  type: 'object',
  properties: { certificate, key },
  required: ['certificate', 'key'],
} as const;
