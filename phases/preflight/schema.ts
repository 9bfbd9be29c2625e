import { fields } from '../../engine/node/index.ts';

const { nodeName, criSocket, caCertPath, ignorePreflightErrors, ignoreChecksErrors } = fields;

export const input = {
  type: 'object',
  properties: {
    nodeName,
    privileged: { type: 'boolean', description: 'Whether the process may change the system (root, or --root)' },
    endpoint: { type: 'string', description: 'API server address (host:port)' },
    criSocket,
    caCertPath,
    controlPlane: { type: 'boolean', description: 'Whether the machine joins as a control plane' },
    standalone: {
      type: 'boolean',
      default: true,
      description:
        'Run kubelet --version, which takes 0.1 s, and check everything that depends on it. If false, later ' +
        'steps do so',
    },
    kubeletExtraArgs: {
      type: 'array',
      items: {
        type: 'object',
        properties: { name: { type: 'string' }, value: { type: 'string' } },
        required: ['name'],
      },
      description: 'Extra arguments of the kubelet, for its labels',
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
      description: 'Results in a fixed order; see docs/preflight.md',
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
