export const input = {
  type: 'object',
  properties: {
    values: {
      type: 'object',
      additionalProperties: { type: 'string', pattern: '^[^\\n]+$', 'x-form': 'be one line, in quotation marks' },
      description: 'Kernel settings by name, such as net.ipv4.ip_forward: "1"',
    },
    file: {
      type: 'string',
      pattern: '^[\\w.-]+$',
      'x-form': 'be the name of a file',
      default: '99-joinery',
      description: 'Name of the file in /etc/sysctl.d, without .conf',
    },
  },
  required: ['values'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
