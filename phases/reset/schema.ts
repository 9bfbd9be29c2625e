import { fields } from '../../engine/node/index.ts';

const { criSocket } = fields;

export const input = { type: 'object', properties: { criSocket }, additionalProperties: false } as const;

export const output = {
  type: 'object',
  properties: {
    node: { type: 'string', description: 'Node that remains in the cluster; absent if the machine had not joined' },
  },
} as const;
