const argv = { type: 'array', items: { type: 'string' }, minItems: 1 } as const;

export const input = {
  type: 'object',
  properties: {
    argv: { ...argv, description: 'Program and arguments, run without a shell' },
    query: {
      type: 'boolean',
      default: false,
      description: 'The command only reads: it also runs in a dry run, and its output is kept',
    },
    undo: { ...argv, description: 'Command that undoes it' },
    irreversible: { type: 'string', description: 'Reason why it cannot be undone, if it has no undo' },
    creates: {
      type: 'string',
      pattern: '^/',
      'x-form': 'be an absolute path',
      description: 'Path that the command creates; if it exists, the command does not run',
    },
    unless: { ...argv, description: 'Query command; if it exits with 0, the command does not run' },
    environment: {
      type: 'object',
      additionalProperties: { type: 'string', writeOnly: true },
      description: 'Environment variables in addition to PATH, HOME and LANG; may hold secrets',
    },
    timeoutSeconds: {
      type: 'integer',
      minimum: 1,
      maximum: 3600,
      default: 30,
      description: 'Time limit; the command is killed after it',
    },
    outputKib: {
      type: 'integer',
      minimum: 1,
      maximum: 1024,
      default: 64,
      description: 'Limit on the output; the command is killed beyond it',
    },
  },
  required: ['argv'],
  additionalProperties: false,
  allOf: [
    {
      description: 'needs exactly one of: undo, irreversible, query',
      oneOf: [
        { required: ['undo'] },
        { required: ['irreversible'] },
        { required: ['query'], properties: { query: { const: true } } },
      ],
    },
  ],
} as const;

export const output = {
  type: 'object',
  properties: {
    ran: { type: 'boolean', description: 'Whether the command ran; false if the work was already done' },
    stdout: { type: 'string', description: 'Standard output of a query' },
    stderr: { type: 'string', description: 'Standard error of a query' },
  },
  required: ['ran'],
} as const;
