export const input = {
  type: 'object',
  properties: {
    server: { type: 'string', pattern: '^https://', description: 'URL of the API server' },
    ca: { type: 'string', description: 'CA bundle that vouches for it, PEM' },
    certificate: { type: 'string', description: "The node's client certificate, PEM" },
    key: { type: 'string', writeOnly: true, description: 'Its key, PEM' },
  },
  required: ['server', 'ca', 'certificate', 'key'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
