/** Who asks the cluster for the node's certificate. */
import type { Identity } from '../sdk/ports.ts';
import type { Secret } from '../sdk/secret.ts';

/** Who asks for the node's certificate, as discovery has found out. */
export function joiningIdentity(found: {
  server: string;
  ca: string;
  token?: Secret;
  clientCertificate?: string;
  clientKey?: Secret;
}): Identity {
  const { server, ca, token, clientCertificate: pem, clientKey: key } = found;
  if (token !== undefined) return { server, ca, token };
  return pem === undefined || key === undefined ? { server, ca } : { server, ca, certificate: { pem, key } };
}
