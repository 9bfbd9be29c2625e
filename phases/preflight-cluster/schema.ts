import { fields } from '../../engine/sdk/index.ts';

const { server, ca, bootstrapToken, nodeName, criSocket, kubeletVersion } = fields;
const { clusterConfiguration, kubeletConfiguration, ignorePreflightErrors, ignoreChecksErrors } = fields;

export const input = {
  type: 'object',
  properties: {
    server,
    ca,
    token: bootstrapToken,
    nodeName,
    criSocket,
    kubeletVersion,
    clusterConfiguration,
    kubeletConfiguration,
    ignorePreflightErrors,
    ignoreChecksErrors,
  },
  required: ['server', 'ca', 'token', 'nodeName', 'clusterConfiguration', 'kubeletConfiguration'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
