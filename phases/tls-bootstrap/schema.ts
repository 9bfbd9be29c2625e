export const input = {
  type: 'object',
  properties: {
    server: { type: 'string', pattern: '^https://', description: 'URL of the API server' },
    ca: { type: 'string', description: 'CA bundle that vouches for it, PEM' },
    token: { type: 'string', writeOnly: true, description: 'Bootstrap token that may authenticate' },
    nodeName: {
      type: 'string',
      pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
      maxLength: 253,
      description: 'Name of the Node',
    },
  },
  required: ['server', 'ca', 'token', 'nodeName'],
  additionalProperties: false,
} as const;

export const output = {
  type: 'object',
  properties: {
    certificate: { type: 'string', description: 'The client certificate and its chain, PEM' },
    key: { type: 'string', writeOnly: true, description: 'Its key, PEM' },
  },
  required: ['certificate', 'key'],
} as const;
