import { fields } from '../../engine/node/index.ts';

const { server, ca, token, clientCertificate, clientKey, nodeName, criSocket, kubeletVersion } = fields;
const { clusterConfiguration, kubeletConfiguration, patches, ignorePreflightErrors, ignoreChecksErrors } = fields;

export const input = {
  type: 'object',
  properties: {
    server,
    ca,
    token,
    clientCertificate,
    clientKey,
    nodeName,
    criSocket,
    kubeletVersion,
    clusterConfiguration,
    kubeletConfiguration,
    patches,
    ignorePreflightErrors,
    ignoreChecksErrors,
  },
  required: ['server', 'ca', 'nodeName', 'clusterConfiguration', 'kubeletConfiguration'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
