import { fields } from '../../engine/node/index.ts';

const { server, ca, certificate, key, nodeName, criSocket, kubeletVersion, clusterConfiguration } = fields;

export const input = {
  type: 'object',
  properties: {
    server,
    ca,
    certificate,
    key,
    nodeName,
    criSocket,
    kubeletVersion,
    clusterConfiguration,
    startedAt: { type: 'string', description: 'Start time of the kubelet; older heartbeats do not count' },
    wait: {
      enum: ['started', 'registered', 'ready'],
      default: 'registered',
      description:
        'State of the Node to wait for: started (the kubelet runs), registered, or ready (its condition Ready)',
    },
  },
  required: ['server', 'ca', 'certificate', 'key', 'nodeName'],
  additionalProperties: false,
} as const;

export const output = {
  type: 'object',
  properties: {
    kubeletVersion: {
      type: 'string',
      'x-known': 'after-run',
      description: 'Version of the kubelet, as reported by the Node',
    },
  },
} as const;
