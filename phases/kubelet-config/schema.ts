export const input = {
  type: 'object',
  properties: {
    server: { type: 'string', pattern: '^https://', description: 'URL of the API server' },
    ca: { type: 'string', description: 'CA bundle that vouches for it, PEM' },
    token: { type: 'string', writeOnly: true, description: 'Bootstrap token that may authenticate' },
    nodeName: { type: 'string', description: 'Name of the Node' },
    hostName: { type: 'string', description: "The machine's own name; another node name is told to the kubelet" },
    criSocket: { type: 'string', description: 'Socket of the container runtime; left out: the only one there is' },
    caCertPath: {
      type: 'string',
      default: '/etc/kubernetes/pki/ca.crt',
      pattern: '^/.*\\.crt$',
      description: 'Where the cluster CA is kept',
    },
  },
  required: ['server', 'ca', 'token', 'nodeName', 'hostName'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
