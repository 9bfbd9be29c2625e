import { discoveryOutput, fields } from '../../engine/node/index.ts';

const { bootstrapToken } = fields;

export const input = {
  type: 'object',
  properties: {
    discoveryFile: {
      type: 'string',
      pattern: '^(/|file:///|https://)',
      'x-form': 'be a path, a file:/// or an https:// address',
      'x-path': true,
      description: 'Discovery file: path or https:// address of a kubeconfig',
    },
    token: { ...bootstrapToken, description: 'Bootstrap token for the TLS bootstrap' },
    discoveryToken: { type: 'string', writeOnly: true, description: 'Not allowed with a discovery file' },
    discoveryTokenCaCertHash: {
      type: 'array',
      items: { type: 'string' },
      description: 'Not allowed with a discovery file, which has its own CA',
    },
    tlsBootstrapToken: { ...bootstrapToken, description: 'Bootstrap token for the TLS bootstrap; overrides token' },
  },
  required: ['discoveryFile'],
  additionalProperties: false,
  allOf: [
    {
      description: '--discovery-file and --discovery-token cannot be combined: pass one of them',
      anyOf: [{ properties: { discoveryToken: { enum: [''] } } }],
    },
    {
      description: '--discovery-token-ca-cert-hash is for discovery by token: a --discovery-file has its own CA',
      anyOf: [{ properties: { discoveryTokenCaCertHash: { type: 'array', maxItems: 0 } } }],
    },
  ],
} as const;

export const output = discoveryOutput;
