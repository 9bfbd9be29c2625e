export const input = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      pattern: '^[\\w@.:-]+$',
      'x-form': "be a service's name",
      description: 'Name of the service',
    },
    state: { enum: ['started', 'stopped'], description: 'State of the service now' },
    enabled: { type: 'boolean', description: 'Whether the service starts at boot' },
    masked: { type: 'boolean', description: 'Whether the service is masked, so that it cannot be started (systemd)' },
    restart: {
      type: 'boolean',
      default: false,
      description: 'Restart the service; usually the output `changed` of a file step',
    },
    reload: {
      type: 'boolean',
      default: false,
      description: 'Reload the configuration of the service; usually the output `changed` of a file step',
    },
    daemonReload: {
      type: 'boolean',
      default: false,
      description: 'Reload the unit files of the service manager; usually the output `changed` of a file step',
    },
  },
  required: ['name'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
