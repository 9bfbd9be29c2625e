/** The identity that a machine joins with: a cluster, and the credentials that request the node's certificate. */
import { defined } from '../sdk/fields.ts';
import type { Identity } from '../sdk/ports.ts';
import type { Infer } from '../sdk/schema.ts';

export const server = {
  type: 'string',
  pattern: '^https://',
  'x-form': 'begin with https://',
  description: 'URL of the API server',
} as const;

export const ca = { type: 'string', description: "CA bundle that signed the API server's certificate, PEM" } as const;

/** An input of every phase that speaks to the cluster before the node has a certificate of its own. */
export const identity = {
  type: 'object',
  'x-flags': true,
  description: "API server, its CA, and the credentials that request the node's certificate",
  properties: {
    server,
    ca,
    token: { type: 'string', writeOnly: true, description: "Token that requests the node's certificate" },
    clientCertificate: {
      type: 'string',
      description: "Client certificate that requests the node's certificate instead of a token, PEM",
    },
    clientKey: { type: 'string', writeOnly: true, description: 'Key of the client certificate, PEM' },
  },
  required: ['server', 'ca'],
  additionalProperties: false,
} as const;

export type JoiningIdentity = Infer<typeof identity>;

/**
 * The output of every discovery. `server` and `ca` repeat two fields of the identity, for steps that need no
 * credentials.
 */
export const discoveryOutput = {
  type: 'object',
  properties: { identity, server, ca },
  required: ['identity', 'server', 'ca'],
} as const;

/** The outputs of a discovery that has found this identity. */
export const discovered = (identity: JoiningIdentity): Infer<typeof discoveryOutput> => ({
  identity,
  server: identity.server,
  ca: identity.ca,
});

/** The identity in the form that `kube.as` takes. */
export function joiningIdentity({ server, ca, ...credentials }: JoiningIdentity): Identity {
  const { token, clientCertificate: pem, clientKey: key } = credentials;
  const certificate = pem === undefined || key === undefined ? undefined : { pem, key };
  return { server, ca, ...defined({ token, certificate }) };
}
