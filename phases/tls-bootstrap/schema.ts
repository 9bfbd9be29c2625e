import { fields } from '../../engine/node/index.ts';

const { identity, nodeName, tlsBootstrapMode, certificate, key, kubeletVersion } = fields;

export const input = {
  type: 'object',
  properties: { identity, nodeName, tlsBootstrapMode, kubeletVersion },
  required: ['identity', 'nodeName'],
  additionalProperties: false,
} as const;

/** Empty until the kubelet sends its CSR. */
export const output = {
  type: 'object',
  properties: { certificate: { ...certificate, 'x-known': 'after-run' }, key: { ...key, 'x-known': 'after-run' } },
} as const;
