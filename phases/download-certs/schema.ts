import { controlPlaneFields, fields } from '../../engine/node/index.ts';

const { certificatesDir, clusterConfiguration } = controlPlaneFields;

export const input = {
  type: 'object',
  properties: {
    identity: fields.identity,
    certificateKey: {
      type: 'string',
      writeOnly: true,
      pattern: '^[0-9A-Fa-f]{64}$',
      'x-form': 'be 64 hexadecimal digits, as kubeadm init phase upload-certs --upload-certs prints them',
      description: 'Key that decrypts the certificates which all control planes share',
    },
    certificatesDir,
    clusterConfiguration,
  },
  required: ['identity', 'clusterConfiguration'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
