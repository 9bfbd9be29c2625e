import { fields } from '../../engine/node/index.ts';

const { server, ca, token, clientCertificate, clientKey } = fields;

export const input = {
  type: 'object',
  properties: {
    server,
    ca,
    token,
    clientCertificate,
    clientKey,
    csr: { type: 'string', description: 'Name of the CertificateSigningRequest that a join has sent' },
  },
  additionalProperties: false,
} as const;

export const output = {
  type: 'object',
  properties: {
    findings: {
      type: 'array',
      description: 'In the order in which things depend on each other',
      items: {
        type: 'object',
        properties: {
          check: { type: 'string' },
          state: { enum: ['ok', 'note', 'problem', 'unknown'] },
          what: { type: 'string' },
          next: { type: 'string', description: 'What to type, or to do, about it' },
        },
        required: ['check', 'state', 'what'],
      },
    },
  },
  required: ['findings'],
} as const;
