export const input = {
  type: 'object',
  properties: {
    values: {
      type: 'object',
      additionalProperties: { type: 'string', pattern: '^[^\\n]+$', 'x-form': 'be one line, in quotation marks' },
      description: 'Settings of the kernel by name: net.ipv4.ip_forward: "1"',
    },
    file: {
      type: 'string',
      pattern: '^[\\w.-]+$',
      'x-form': 'be the name of a file',
      default: '99-joinery',
      description: 'They last in /etc/sysctl.d/<file>.conf',
    },
  },
  required: ['values'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
