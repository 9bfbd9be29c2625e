import { fields } from '../../engine/node/index.ts';

const { criSocket } = fields;

export const input = { type: 'object', properties: { criSocket }, additionalProperties: false } as const;

export const output = {
  type: 'object',
  properties: {
    startedAt: {
      type: 'string',
      'x-known': 'after-run',
      description: 'Start time of the kubelet (RFC 3339); absent if it was already running',
    },
  },
} as const;
