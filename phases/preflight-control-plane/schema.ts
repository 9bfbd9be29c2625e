import { controlPlaneFields, fields } from '../../engine/node/index.ts';

const { certificateKey, certificatesDir, clusterConfiguration, bindPort } = controlPlaneFields;
const { identity, nodeName, ignorePreflightErrors, ignoreChecksErrors } = fields;

export const input = {
  type: 'object',
  properties: {
    identity,
    nodeName,
    certificateKey,
    certificatesDir,
    clusterConfiguration,
    bindPort,
    kubeletVersion: fields.kubeletVersion,
    ignorePreflightErrors,
    ignoreChecksErrors,
  },
  required: ['identity', 'nodeName', 'clusterConfiguration'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
