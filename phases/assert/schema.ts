export const input = {
  type: 'object',
  properties: {
    that: { type: 'boolean', description: 'What must be true' },
    message: { type: 'string', minLength: 1, description: 'What is said where it is not' },
  },
  required: ['that', 'message'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
