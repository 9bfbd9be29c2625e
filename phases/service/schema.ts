export const input = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      pattern: '^[\\w@.:-]+$',
      'x-form': "be a service's name",
      description: 'Name of the service',
    },
    state: { enum: ['started', 'stopped'], description: 'What it is to be now' },
    enabled: { type: 'boolean', description: 'Whether it is started with the machine' },
    masked: { type: 'boolean', description: 'Whether nobody can start it (systemd)' },
    restart: { type: 'boolean', default: false, description: 'Restart it: hand it the `changed` of a file' },
    reload: { type: 'boolean', default: false, description: 'Have it read its configuration again: the same' },
    daemonReload: { type: 'boolean', default: false, description: 'Have its manager read its unit again: the same' },
  },
  required: ['name'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
