import { discoveryOutput, fields, PORT } from '../../engine/node/index.ts';

const token = fields.bootstrapToken;

export const input = {
  type: 'object',
  properties: {
    endpoint: {
      type: 'string',
      pattern: `^([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\]):${PORT}$`,
      'x-form': 'be host:port, with a port from 1 to 65535',
      description: 'API server address (host:port)',
    },
    token: { ...token, description: 'Bootstrap token for both discovery and the TLS bootstrap' },
    discoveryToken: { ...token, description: 'Bootstrap token for discovery; overrides token' },
    tlsBootstrapToken: { ...token, description: 'Bootstrap token for the TLS bootstrap; overrides token' },
    discoveryTokenCaCertHash: {
      type: 'array',
      items: {
        type: 'string',
        pattern: '^[sS][hH][aA]256:[0-9a-fA-F]{64}$',
        'x-form': 'be sha256: and 64 hexadecimal digits',
      },
      description: 'Pinned CA key, sha256:<hex>; if there are several, one must match a CA certificate of the cluster',
    },
    discoveryTokenUnsafeSkipCaVerification: {
      type: 'boolean',
      default: false,
      description: 'Join without a pinned CA key; anyone who knows the token can then pose as the cluster',
    },
  },
  required: ['endpoint'],
  additionalProperties: false,
  allOf: [
    {
      description: 'a token is required: pass --token or --discovery-token',
      anyOf: [{ required: ['token'] }, { required: ['discoveryToken'] }],
    },
    {
      description:
        'the CA key must be pinned: pass --discovery-token-ca-cert-hash (kubeadm token create ' +
        '--print-join-command prints it), or --discovery-token-unsafe-skip-ca-verification',
      anyOf: [
        { properties: { discoveryTokenCaCertHash: { minItems: 1 } }, required: ['discoveryTokenCaCertHash'] },
        {
          properties: { discoveryTokenUnsafeSkipCaVerification: { const: true } },
          required: ['discoveryTokenUnsafeSkipCaVerification'],
        },
      ],
    },
  ],
} as const;

export const output = discoveryOutput;
