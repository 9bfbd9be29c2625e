import { fields } from '../../engine/sdk/index.ts';

const { server, ca, token, clientCertificate, clientKey, nodeName, criSocket, caCertPath, kubeletVersion } = fields;

export const input = {
  type: 'object',
  properties: {
    server,
    ca,
    token,
    clientCertificate,
    clientKey,
    nodeName,
    hostName: { type: 'string', description: "The machine's own name; another node name is told to the kubelet" },
    criSocket,
    caCertPath,
    kubeletVersion,
  },
  required: ['server', 'ca', 'nodeName', 'hostName'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
