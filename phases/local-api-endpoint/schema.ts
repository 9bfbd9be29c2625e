import { controlPlaneFields, fields } from '../../engine/node/index.ts';

const { certificatesDir, clusterConfiguration, advertiseAddress, bindPort } = controlPlaneFields;

export const input = {
  type: 'object',
  properties: {
    clusterConfiguration,
    server: fields.server,
    apiserverAdvertiseAddress: {
      ...advertiseAddress,
      description: 'IP address at which the API server is reached (default: that of the default route)',
    },
    apiserverBindPort: bindPort,
  },
  required: ['clusterConfiguration', 'server'],
  additionalProperties: false,
} as const;

export const output = {
  type: 'object',
  properties: {
    advertiseAddress,
    bindPort,
    certificatesDir,
    kubeletServer: { ...fields.server, description: 'URL of the API server that the kubelet of this machine uses' },
  },
  required: ['advertiseAddress', 'bindPort', 'certificatesDir', 'kubeletServer'],
} as const;
