export const input = {
  type: 'object',
  properties: {
    that: { type: 'boolean', description: 'Condition that must be true' },
    message: { type: 'string', minLength: 1, description: 'Error message if it is not' },
  },
  required: ['that', 'message'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
