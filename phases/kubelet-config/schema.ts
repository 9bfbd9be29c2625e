import { fields } from '../../engine/sdk/index.ts';

const {
  server,
  ca,
  token,
  clientCertificate,
  clientKey,
  nodeName,
  criSocket,
  caCertPath,
  kubeletVersion,
  configSource,
} = fields;

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
    dynamic: {
      type: 'boolean',
      default: false,
      description: 'The kubelet will take its configuration from the cluster (the feature gate DynamicKubeletConfig)',
    },
  },
  required: ['server', 'ca', 'nodeName', 'hostName'],
  additionalProperties: false,
} as const;

export const output = { type: 'object', properties: { configSource } } as const;
