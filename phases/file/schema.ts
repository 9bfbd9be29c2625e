export const input = {
  type: 'object',
  properties: {
    path: { type: 'string', pattern: '^/', 'x-form': 'be an absolute path', description: 'Path of the file' },
    content: { type: 'string', description: 'Content of the file' },
    secretContent: { type: 'string', writeOnly: true, description: 'Secret content of the file; never shown' },
    template: {
      type: 'string',
      pattern: '^/',
      'x-form': 'be an absolute path',
      description: 'Path of a file on this machine with the content; instead of content',
    },
    values: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Values for {{ name }} in the content (default: names are not replaced)',
    },
    mode: {
      type: 'string',
      pattern: '^0[0-7]{3}$',
      'x-form': 'be four octal digits in quotation marks, such as "0644"',
      default: '0644',
      description: 'Permissions of the file',
    },
    owner: {
      type: 'string',
      pattern: '^[\\w.-]+(:[\\w.-]+)?$',
      'x-form': 'be user or user:group',
      description: 'Owner by name or number (default: the user that runs Joinery)',
    },
    absent: { type: 'boolean', default: false, description: 'Remove the file' },
  },
  required: ['path'],
  additionalProperties: false,
  allOf: [
    {
      description: 'needs exactly one of: content, secretContent, template, absent',
      oneOf: [
        { required: ['content'] },
        { required: ['secretContent'] },
        { required: ['template'] },
        { required: ['absent'], properties: { absent: { const: true } } },
      ],
    },
  ],
} as const;

export const output = {
  type: 'object',
  properties: { changed: { type: 'boolean', description: 'Whether the file was changed' } },
  required: ['changed'],
} as const;
