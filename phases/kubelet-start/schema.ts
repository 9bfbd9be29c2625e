import { fields } from '../../engine/node/index.ts';

const { criSocket } = fields;

export const input = { type: 'object', properties: { criSocket }, additionalProperties: false } as const;

export const output = {
  type: 'object',
  properties: {
    startedAt: {
      type: 'string',
      'x-known': 'after-run',
      description: 'When it was started (RFC 3339); absent where it was running already',
    },
  },
} as const;
