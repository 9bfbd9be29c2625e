import { fields } from '../../engine/node/index.ts';

const { criSocket } = fields;

export const input = { type: 'object', properties: { criSocket }, additionalProperties: false } as const;

export const output = {
  type: 'object',
  properties: { node: { type: 'string', description: 'The Node that stays in the cluster; absent where it was none' } },
} as const;
