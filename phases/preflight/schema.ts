export const input = {
  type: 'object',
  properties: {
    nodeName: { type: 'string', description: 'Name of the Node' },
    privileged: { type: 'boolean', description: 'The system may be changed: we are root' },
    criSocket: { type: 'string', description: 'Socket of the container runtime; left out: the only one there is' },
    caCertPath: {
      type: 'string',
      default: '/etc/kubernetes/pki/ca.crt',
      description: 'Where the cluster CA will be kept',
    },
    ignorePreflightErrors: {
      type: 'array',
      items: { type: 'string' },
      description: "Checks whose errors are only warnings, e.g. Swap; 'all' for every check",
    },
  },
  required: ['nodeName', 'privileged'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
