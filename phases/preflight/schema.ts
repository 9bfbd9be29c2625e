import { fields } from '../../engine/sdk/index.ts';

const { nodeName, criSocket, caCertPath } = fields;

export const input = {
  type: 'object',
  properties: {
    nodeName,
    privileged: { type: 'boolean', description: 'The system may be changed: we are root' },
    criSocket,
    caCertPath,
    ignorePreflightErrors: {
      type: 'array',
      items: { type: 'string' },
      description: "Checks whose errors are only warnings, e.g. Swap; 'all' for every check",
    },
  },
  required: ['nodeName', 'privileged'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
