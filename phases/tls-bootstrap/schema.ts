import { fields } from '../../engine/node/index.ts';

const { identity, server, nodeName, tlsBootstrapMode, certificate, key, kubeletVersion } = fields;

export const input = {
  type: 'object',
  properties: {
    identity,
    nodeName,
    tlsBootstrapMode,
    kubeletVersion,
    kubeletServer: {
      ...server,
      description: 'In mode kubelet: URL of the API server that the kubelet asks (default: that of identity)',
    },
  },
  required: ['identity', 'nodeName'],
  additionalProperties: false,
} as const;

/** Empty until the kubelet sends its CSR. */
export const output = {
  type: 'object',
  properties: { certificate: { ...certificate, 'x-known': 'after-run' }, key: { ...key, 'x-known': 'after-run' } },
} as const;
