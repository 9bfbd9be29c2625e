import { controlPlaneFields, fields } from '../../engine/node/index.ts';

export const input = {
  type: 'object',
  properties: {
    nodeName: fields.nodeName,
    clusterConfiguration: controlPlaneFields.clusterConfiguration,
    taints: {
      type: 'array',
      items: fields.taint,
      description: 'Taints of the Node (default: that of control planes; an empty list for none)',
    },
  },
  required: ['nodeName', 'clusterConfiguration'],
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
