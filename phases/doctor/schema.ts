import { fields } from '../../engine/node/index.ts';

const { identity } = fields;

export const input = {
  type: 'object',
  properties: {
    identity,
    progress: {
      type: 'string',
      description: 'How far an unfinished run is, if it has not started the kubelet yet',
    },
    joinedAt: { type: 'string', description: 'When the last join ended, if it succeeded (RFC 3339)' },
    csr: { type: 'string', description: 'Name of the CertificateSigningRequest that a join sent' },
  },
  additionalProperties: false,
} as const;

export const output = {
  type: 'object',
  properties: {
    findings: {
      type: 'array',
      description: 'Findings; each depends on the ones before it',
      items: {
        type: 'object',
        properties: {
          check: { type: 'string' },
          state: { enum: ['ok', 'note', 'problem', 'unknown'] },
          what: { type: 'string' },
          next: { type: 'string', description: 'The next command or action; several commands, one a line' },
        },
        required: ['check', 'state', 'what'],
      },
    },
    node: {
      type: 'object',
      description: 'The Node whose certificate this machine has',
      properties: {
        name: { type: 'string' },
        server: { type: 'string', description: 'URL of the API server in kubelet.conf' },
        caPins: {
          type: 'array',
          items: { type: 'string' },
          description: 'Pins of the CA certificates in kubelet.conf',
        },
        uid: { type: 'string', description: 'Its uid, if the cluster has the Node' },
      },
      required: ['name', 'server', 'caPins'],
    },
  },
  required: ['findings'],
} as const;
