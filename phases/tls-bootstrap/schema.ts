import { fields } from '../../engine/node/index.ts';

const { server, ca, token, clientCertificate, clientKey, nodeName, tlsBootstrapMode, certificate, key } = fields;

export const input = {
  type: 'object',
  properties: { server, ca, token, clientCertificate, clientKey, nodeName, tlsBootstrapMode },
  required: ['server', 'ca', 'nodeName'],
  additionalProperties: false,
} as const;

/** Empty where the kubelet has yet to ask. */
export const output = {
  type: 'object',
  properties: { certificate: { ...certificate, 'x-known': 'after-run' }, key: { ...key, 'x-known': 'after-run' } },
} as const;
