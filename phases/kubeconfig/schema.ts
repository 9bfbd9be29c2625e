import { fields } from '../../engine/node/index.ts';

const { server, ca, certificate, key, kubeletVersion } = fields;

export const input = {
  type: 'object',
  properties: { server, ca, certificate, key, kubeletVersion },
  required: ['server', 'ca'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
