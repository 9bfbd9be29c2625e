import { fields } from '../../engine/node/index.ts';

const { nodeName, criSocket, caCertPath, ignorePreflightErrors, ignoreChecksErrors } = fields;

export const input = {
  type: 'object',
  properties: {
    nodeName,
    privileged: { type: 'boolean', description: 'The system may be changed: we are root' },
    endpoint: { type: 'string', description: 'API server, as host:port' },
    criSocket,
    caCertPath,
    askKubelet: {
      type: 'boolean',
      default: true,
      description: 'Have the kubelet tell its version, which takes a tenth of a second; else only see that it is there',
    },
    ignorePreflightErrors,
    ignoreChecksErrors,
  },
  required: ['nodeName', 'privileged'],
  additionalProperties: false,
} as const;

const text = { type: 'string' } as const;

export const output = {
  type: 'object',
  properties: {
    checks: {
      type: 'array',
      description: 'In a fixed order; see docs/preflight.md',
      items: {
        type: 'object',
        properties: {
          check: text,
          result: { enum: ['ok', 'warning', 'error', 'ignored'] },
          evidence: text,
          hint: text,
        },
        required: ['check', 'result', 'evidence', 'hint'],
      },
    },
  },
  required: ['checks'],
} as const;
