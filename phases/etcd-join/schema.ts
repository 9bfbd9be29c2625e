import { controlPlaneFields, fields } from '../../engine/node/index.ts';

const { certificatesDir, clusterConfiguration, advertiseAddress, startTimeout } = controlPlaneFields;

export const input = {
  type: 'object',
  properties: {
    certificatesDir,
    clusterConfiguration,
    advertiseAddress,
    startTimeout,
    nodeName: fields.nodeName,
    criSocket: fields.criSocket,
    patches: controlPlaneFields.patches,
  },
  required: ['clusterConfiguration', 'advertiseAddress', 'nodeName'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
