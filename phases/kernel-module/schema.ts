export const input = {
  type: 'object',
  properties: {
    modules: {
      type: 'array',
      items: { type: 'string', pattern: '^\\w[\\w-]*$', 'x-form': "be a module's name" },
      minItems: 1,
      description: 'Names of modules, such as overlay',
    },
    file: {
      type: 'string',
      pattern: '^[\\w.-]+$',
      'x-form': 'be the name of a file',
      default: 'joinery',
      description: 'Name of the file in /etc/modules-load.d, without .conf',
    },
  },
  required: ['modules'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
