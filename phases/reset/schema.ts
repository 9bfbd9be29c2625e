import { fields } from '../../engine/node/index.ts';

const { criSocket } = fields;

export const input = {
  type: 'object',
  properties: {
    criSocket,
    etcdDataDir: {
      type: 'string',
      default: '/var/lib/etcd',
      pattern: '^(/[^/\\x00-\\x1f\\x7f]+)+$',
      'x-form': 'be an absolute path without a slash at the end',
      description: 'Data directory of etcd on a control plane',
    },
    ignoreEtcdMember: {
      type: 'boolean',
      default: false,
      description:
        'Continue if the etcd member cannot leave. etcd continues to count it, so fewer failures stop the cluster',
    },
  },
  additionalProperties: false,
} as const;

export const output = {
  type: 'object',
  properties: {
    node: { type: 'string', description: 'Node that remains in the cluster; absent if the machine had not joined' },
  },
} as const;
