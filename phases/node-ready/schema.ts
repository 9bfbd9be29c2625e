import { fields } from '../../engine/node/index.ts';

const { server, ca, certificate, key, nodeName, criSocket } = fields;

export const input = {
  type: 'object',
  properties: {
    server,
    ca,
    certificate,
    key,
    nodeName,
    criSocket,
    startedAt: { type: 'string', description: 'When the kubelet was started: older signs of life do not count' },
    wait: {
      enum: ['started', 'registered', 'ready'],
      default: 'registered',
      description: 'How far to follow the Node: not at all, until its kubelet has registered, or until it is Ready',
    },
  },
  required: ['server', 'ca', 'certificate', 'key', 'nodeName'],
  additionalProperties: false,
} as const;

export const output = {
  type: 'object',
  properties: { kubeletVersion: { type: 'string', 'x-known': 'after-run', description: 'As the Node reports it' } },
} as const;
