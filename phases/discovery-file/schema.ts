import { discoveryOutput, fields } from '../../engine/sdk/index.ts';

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
    tlsBootstrapToken: { ...bootstrapToken, description: 'The same, where it is another than the one for discovery' },
  },
  required: ['discoveryFile'],
  additionalProperties: false,
} as const;

export const output = discoveryOutput;
