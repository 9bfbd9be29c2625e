import { discoveryOutput, fields } from '../../engine/node/index.ts';

const token = fields.bootstrapToken;

export const input = {
  type: 'object',
  properties: {
    endpoint: {
      type: 'string',
      pattern: '^([A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5}$',
      'x-form': 'be host:port',
      description: 'API server, as host:port',
    },
    token: { ...token, description: 'Bootstrap token for discovery and TLS bootstrap alike' },
    discoveryToken: { ...token, description: 'Token that validates cluster-info; wins over token' },
    tlsBootstrapToken: { ...token, description: 'Token that sends the CSR; wins over token' },
    discoveryTokenCaCertHash: {
      type: 'array',
      items: {
        type: 'string',
        pattern: '^[sS][hH][aA]256:[0-9a-fA-F]{64}$',
        'x-form': 'be sha256: and 64 hexadecimal digits',
      },
      description: 'Pinned CA keys: sha256:<hex>. Any one of them must be in the cluster CA bundle',
    },
    discoveryTokenUnsafeSkipCaVerification: {
      type: 'boolean',
      default: false,
      description: 'Join without a pinned CA key: whoever knows the token can pose as the cluster',
    },
  },
  required: ['endpoint'],
  additionalProperties: false,
  allOf: [
    {
      description: 'a token is needed: --token, or --discovery-token',
      anyOf: [{ required: ['token'] }, { required: ['discoveryToken'] }],
    },
    {
      description:
        'the CA key must be pinned: --discovery-token-ca-cert-hash (kubeadm token create --print-join-command shows it), or --discovery-token-unsafe-skip-ca-verification',
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
