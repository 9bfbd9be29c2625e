export const input = {
  type: 'object',
  properties: {
    path: { type: 'string', pattern: '^/', 'x-form': 'be an absolute path', description: 'Where it is' },
    content: { type: 'string', description: 'What is in it' },
    secretContent: { type: 'string', writeOnly: true, description: 'The same, where it is secret: shown nowhere' },
    template: {
      type: 'string',
      pattern: '^/',
      'x-form': 'be an absolute path',
      description: 'Instead: a file of this machine to take it from',
    },
    values: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'What {{ name }} in content or template stands for; left out: for itself',
    },
    mode: {
      type: 'string',
      pattern: '^0[0-7]{3}$',
      'x-form': 'be four octal digits in quotation marks, such as "0644"',
      default: '0644',
      description: 'Its permissions',
    },
    owner: {
      type: 'string',
      pattern: '^[\\w.-]+(:[\\w.-]+)?$',
      'x-form': 'be user or user:group',
      description: 'Whose it is, by name or number; left out: of whoever runs this',
    },
    absent: { type: 'boolean', default: false, description: 'It is to be gone' },
  },
  required: ['path'],
  additionalProperties: false,
} as const;

export const output = {
  type: 'object',
  properties: { changed: { type: 'boolean', description: 'It was not so before' } },
  required: ['changed'],
} as const;
