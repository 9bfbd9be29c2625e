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
      description: 'Kubeconfig with the cluster in it: a path or an https:// address',
    },
    token: { ...bootstrapToken, description: 'Bootstrap token that may authenticate' },
    discoveryToken: { type: 'string', writeOnly: true, description: 'Not beside a file: it is the other way to trust' },
    discoveryTokenCaCertHash: {
      type: 'array',
      items: { type: 'string' },
      description: 'Not beside a file: its CA is in it',
    },
    tlsBootstrapToken: { ...bootstrapToken, description: 'The same, where it is another than the one for discovery' },
  },
  required: ['discoveryFile'],
  additionalProperties: false,
  allOf: [
    {
      description: 'a file and a token are two ways to trust a cluster: give --discovery-file or --discovery-token',
      anyOf: [{ properties: { discoveryToken: { enum: [''] } } }],
    },
    {
      description: '--discovery-token-ca-cert-hash is for discovery by a token: the CA of a --discovery-file is in it',
      anyOf: [{ properties: { discoveryTokenCaCertHash: { type: 'array', maxItems: 0 } } }],
    },
  ],
} as const;

export const output = discoveryOutput;
