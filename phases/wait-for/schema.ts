import { PORT } from '../../engine/node/index.ts';

export const input = {
  type: 'object',
  properties: {
    port: {
      type: 'string',
      pattern: `^(\\[[0-9a-fA-F:.]+\\]|[^:\\[\\]]+):${PORT}$`,
      'x-form': 'be host:port, with a port from 1 to 65535',
      description: 'Address (host:port) that must accept TCP connections',
    },
    path: { type: 'string', pattern: '^/', 'x-form': 'be an absolute path', description: 'File that must exist' },
    contains: { type: 'string', description: 'Text that the file must contain; requires path' },
    url: {
      type: 'string',
      pattern: '^https?://',
      'x-form': 'begin with https:// (http:// only to this machine itself)',
      description: 'URL that must answer with a status from 200 to 299',
    },
    ca: { type: 'string', description: 'CA certificates for the server of url, PEM' },
    object: {
      type: 'object',
      properties: {
        apiVersion: { type: 'string', default: 'v1', description: 'API version, as in manifests' },
        resource: { type: 'string', description: 'Resource in the plural, such as nodes' },
        name: { type: 'string', description: 'Name of the object' },
        namespace: { type: 'string', description: 'Namespace of the object, if it has one' },
      },
      required: ['resource', 'name'],
      additionalProperties: false,
      description: "API object that must exist; read with the node's own identity",
    },
    condition: {
      type: 'string',
      pattern: '^\\w+(=(True|False|Unknown))?$',
      'x-form': 'be Type or Type=Status',
      description: 'Condition that the object must have, such as Ready or Ready=False; requires object',
    },
  },
  additionalProperties: false,
  allOf: [
    {
      description: 'needs exactly one of: port, path, url, object',
      oneOf: [{ required: ['port'] }, { required: ['path'] }, { required: ['url'] }, { required: ['object'] }],
    },
  ],
} as const;

export const output = { type: 'object' } as const;
