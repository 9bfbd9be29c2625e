const texts = { type: 'object', additionalProperties: { type: 'string' } } as const;

export const input = {
  type: 'object',
  properties: {
    labels: { ...texts, default: {}, description: 'Labels, such as example.com/rack: "7"' },
    annotations: { ...texts, default: {}, description: 'Annotations' },
    taints: {
      type: 'array',
      items: { type: 'string' },
      default: [],
      description: 'Refused, with what to do instead: a node has its own taints only from its registration',
    },
  },
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
