const url = {
  type: 'string',
  pattern: '^https?://',
  'x-form': 'begin with https:// (http:// only to this machine itself)',
  description: 'Address',
} as const;
const headers = {
  type: 'object',
  additionalProperties: { type: 'string', writeOnly: true },
  description: 'Headers; shown nowhere',
} as const;
const json = { type: 'object', description: 'What is sent, as JSON' } as const;
const body = { type: 'string', writeOnly: true, description: 'What is sent, as text; shown nowhere' } as const;
const expect = {
  type: 'object',
  properties: {
    status: {
      type: 'array',
      items: { type: 'integer', minimum: 100, maximum: 599 },
      minItems: 1,
      description: 'Statuses that are well; left out: 200 to 299',
    },
    json: { type: 'object', description: 'What the JSON of the answer must hold; it may hold more' },
  },
  additionalProperties: false,
  description: 'What the answer must be',
} as const;

export const input = {
  type: 'object',
  properties: {
    method: { enum: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'], default: 'GET', description: 'Method' },
    ...{ url, headers, json, body, expect },
    ca: {
      type: 'string',
      description: 'Certificates that vouch for the server, PEM; left out: those this machine trusts',
    },
    unless: {
      type: 'object',
      properties: { url, headers, expect },
      required: ['url'],
      additionalProperties: false,
      description: 'A GET that says that all is done already, where its answer is as expected',
    },
    undo: {
      type: 'object',
      properties: {
        method: { enum: ['POST', 'PUT', 'PATCH', 'DELETE'], description: 'Method' },
        url,
        headers,
        json,
        body,
      },
      required: ['method', 'url'],
      additionalProperties: false,
      description: 'The call that takes it back',
    },
    irreversible: { type: 'string', description: 'Instead: why nothing takes it back' },
  },
  required: ['url'],
  additionalProperties: false,
} as const;

export const output = {
  type: 'object',
  properties: {
    called: { type: 'boolean', description: 'The call was made, and not found done already' },
    status: { type: 'integer', description: 'Of the answer' },
    body: { type: 'string', description: 'Of the answer to a GET' },
  },
  required: ['called'],
} as const;
