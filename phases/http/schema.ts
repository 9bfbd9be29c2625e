const url = {
  type: 'string',
  pattern: '^https?://',
  'x-form': 'begin with https:// (http:// only to this machine itself)',
  description: 'URL',
} as const;
const headers = {
  type: 'object',
  additionalProperties: { type: 'string', writeOnly: true },
  description: 'Request headers; never shown',
} as const;
const json = { type: 'object', description: 'Request body as JSON' } as const;
const body = { type: 'string', writeOnly: true, description: 'Request body as text; never shown' } as const;
const expect = {
  type: 'object',
  properties: {
    status: {
      type: 'array',
      items: { type: 'integer', minimum: 100, maximum: 599 },
      minItems: 1,
      description: 'Accepted statuses (default 200 to 299)',
    },
    json: { type: 'object', description: 'Fields that the JSON of the response must have; it may have more' },
  },
  additionalProperties: false,
  description: 'Expected response',
} as const;

export const input = {
  type: 'object',
  properties: {
    method: { enum: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'], default: 'GET', description: 'HTTP method' },
    url,
    headers,
    json,
    body,
    expect,
    ca: {
      type: 'string',
      description: 'CA certificates for the server, PEM (default: those that this machine trusts)',
    },
    unless: {
      type: 'object',
      properties: { url, headers, expect },
      required: ['url'],
      additionalProperties: false,
      description: 'GET request; if its response is as expected, the work is already done',
    },
    undo: {
      type: 'object',
      properties: {
        method: { enum: ['POST', 'PUT', 'PATCH', 'DELETE'], description: 'HTTP method' },
        url,
        headers,
        json,
        body,
      },
      required: ['method', 'url'],
      additionalProperties: false,
      description: 'Request that undoes it',
    },
    irreversible: { type: 'string', description: 'Reason why it cannot be undone, if it has no undo' },
  },
  required: ['url'],
  additionalProperties: false,
  allOf: [
    {
      description: 'a request that changes something needs exactly one of: undo, irreversible',
      anyOf: [
        { properties: { method: { enum: ['GET', 'HEAD'] } } },
        { oneOf: [{ required: ['undo'] }, { required: ['irreversible'] }] },
      ],
    },
  ],
} as const;

export const output = {
  type: 'object',
  properties: {
    called: { type: 'boolean', description: 'Whether the request was sent; false if the work was already done' },
    status: { type: 'integer', description: 'Status of the response' },
    body: { type: 'string', description: 'Body of the response to a GET' },
  },
  required: ['called'],
} as const;
