import { fields } from '../../engine/node/index.ts';

const { identity, nodeName, criSocket, caCertPath, kubeletVersion } = fields;
const { clusterConfiguration, kubeletConfiguration, patches, ignorePreflightErrors, ignoreChecksErrors } = fields;

export const input = {
  type: 'object',
  properties: {
    identity,
    nodeName,
    criSocket,
    caCertPath,
    kubeletVersion,
    clusterConfiguration,
    kubeletConfiguration,
    patches,
    ignorePreflightErrors,
    ignoreChecksErrors,
  },
  required: ['identity', 'nodeName', 'clusterConfiguration', 'kubeletConfiguration'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
