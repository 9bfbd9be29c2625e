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
      description: 'Not supported: a node can set its taints only when it registers. The error says what to do instead',
    },
  },
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
