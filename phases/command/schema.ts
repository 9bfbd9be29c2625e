const argv = { type: 'array', items: { type: 'string' }, minItems: 1 } as const;

export const input = {
  type: 'object',
  properties: {
    argv: { ...argv, description: 'The program and its arguments; no shell reads them' },
    query: {
      type: 'boolean',
      default: false,
      description: 'It only asks: done in a dry run too, and its output is kept',
    },
    undo: { ...argv, description: 'The command that takes it back' },
    irreversible: { type: 'string', description: 'Instead: why nothing takes it back' },
    creates: {
      type: 'string',
      pattern: '^/',
      'x-form': 'be an absolute path',
      description: 'What it makes: where that is there, it is not run',
    },
    unless: { ...argv, description: 'A command that only asks: where that exits 0, it is not run' },
    environment: {
      type: 'object',
      additionalProperties: { type: 'string', writeOnly: true },
      description: 'Variables that it gets beside PATH, HOME and LANG; secrets may stand in them',
    },
    timeoutSeconds: { type: 'integer', minimum: 1, maximum: 3600, default: 30, description: 'It is killed after this' },
    outputKib: {
      type: 'integer',
      minimum: 1,
      maximum: 1024,
      default: 64,
      description: 'It is killed when it prints more',
    },
  },
  required: ['argv'],
  additionalProperties: false,
} as const;

export const output = {
  type: 'object',
  properties: {
    ran: { type: 'boolean', description: 'It was run, and not found done already' },
    stdout: { type: 'string', description: 'Of a query: what it printed' },
    stderr: { type: 'string', description: 'Of a query: what it complained of' },
  },
  required: ['ran'],
} as const;
