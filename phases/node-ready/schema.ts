export const input = {
  type: 'object',
  properties: {
    server: { type: 'string', pattern: '^https://', description: 'URL of the API server' },
    ca: { type: 'string', description: 'CA bundle that vouches for it, PEM' },
    certificate: { type: 'string', description: "The node's client certificate, PEM" },
    key: { type: 'string', writeOnly: true, description: 'Its key, PEM' },
    nodeName: { type: 'string', description: 'Name of the Node' },
    criSocket: { type: 'string', description: 'Socket of the container runtime; left out: the only one there is' },
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
  properties: { kubeletVersion: { type: 'string', description: 'As the Node reports it' } },
} as const;
