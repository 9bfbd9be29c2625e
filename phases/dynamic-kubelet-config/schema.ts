import { fields } from '../../engine/node/index.ts';

const { server, ca, certificate, key, nodeName, configSource } = fields;

export const input = {
  type: 'object',
  properties: { server, ca, certificate, key, nodeName, configSource },
  required: ['server', 'ca', 'certificate', 'key', 'nodeName'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
