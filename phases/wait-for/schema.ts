export const input = {
  type: 'object',
  properties: {
    port: {
      type: 'string',
      pattern: '^(\\[[0-9a-fA-F:.]+\\]|[^:\\[\\]]+):\\d{1,5}$',
      'x-form': 'be host:port',
      description: 'Until something accepts TCP connections there',
    },
    path: { type: 'string', pattern: '^/', 'x-form': 'be an absolute path', description: 'Until there is such a file' },
    contains: { type: 'string', description: 'With path: until that text is in it' },
    url: {
      type: 'string',
      pattern: '^https?://',
      'x-form': 'begin with https:// (http:// only to this machine itself)',
      description: 'Until it answers with a status from 200 to 299',
    },
    ca: { type: 'string', description: 'With url: certificates that vouch for the server, PEM' },
    object: {
      type: 'object',
      properties: {
        apiVersion: { type: 'string', default: 'v1', description: 'Its version, as in manifests' },
        resource: { type: 'string', description: 'Its kind in the plural: nodes' },
        name: { type: 'string', description: 'Its name' },
        namespace: { type: 'string', description: 'Its namespace, where it has one' },
      },
      required: ['resource', 'name'],
      additionalProperties: false,
      description: "Until there is such an object, as the node's own identity sees it",
    },
    condition: {
      type: 'string',
      pattern: '^\\w+(=(True|False|Unknown))?$',
      'x-form': 'be Type or Type=Status',
      description: 'With object: until this condition holds, as Ready or Ready=False',
    },
  },
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
