/**
 * The credentials of a discovery file's user, with which the node's certificate is requested.
 * Source: client-go, tools/clientcmd/api/v1 and plugin/pkg/client/auth/exec.
 */

import { base64Text } from '../../engine/node/index.ts';
import { certificatesPem, fitsKey, privateKeyPem, readCertificates } from '../../engine/pki/index.ts';
import { type Commands, type Files, fail, Secret } from '../../engine/sdk/index.ts';
import { execCredentials, type RawCredentials } from './exec.ts';
import { type Origin, readReferenced } from './file.ts';

export interface Credentials {
  token?: Secret;
  /** PEM. */
  clientCertificate?: string;
  clientKey?: Secret;
}

/** Printable ASCII without a space: a token is sent in an HTTP header. */
const TOKEN = /^[!-~]+$/;

/**
 * Undefined if the user has no credentials. Throws E_DISCOVERY_FILE for credentials that make no sense, or that a file
 * of this origin must not use.
 */
export async function credentialsOf(
  user: Record<string, unknown>,
  origin: Origin,
  { files, commands }: { files: Files; commands: Commands },
): Promise<Credentials | undefined> {
  const refuse = (what: string) => fail('E_DISCOVERY_FILE', { file: origin.name, what });
  const named = (key: string): string | undefined =>
    typeof user[key] === 'string' && user[key] !== '' ? user[key] : undefined;
  if (user.exec !== undefined && user.exec !== null) {
    if (!origin.writableByRootOnly)
      throw refuse('it names a program to run (exec), but users other than root can write the file');
    return checked(await execCredentials(user.exec, commands, refuse), refuse);
  }
  const [tokenFile, token] = [named('tokenFile'), named('token')];
  if (tokenFile !== undefined) {
    if (!origin.writableByRootOnly)
      throw refuse('it names a token file, but users other than root can write the discovery file');
    return checked({ token: (await readReferenced(origin, tokenFile, files, refuse)).trim() }, refuse);
  }
  if (token !== undefined) return checked({ token }, refuse);
  const pem = async (data: string, file: string): Promise<string> => {
    const [inline, path] = [named(data), named(file)];
    if (inline !== undefined) return base64Text(inline);
    return path === undefined ? '' : readReferenced(origin, path, files, refuse);
  };
  const certificate = await pem('client-certificate-data', 'client-certificate');
  const key = await pem('client-key-data', 'client-key');
  if (certificate !== '' && key !== '') return checked({ certificate, key }, refuse);
  if (certificate !== '' || key !== '')
    throw refuse('its user has a certificate without a key, or a key without a certificate');
  if (named('username') !== undefined || (user['auth-provider'] ?? undefined) !== undefined)
    throw refuse('its user has credentials that API servers no longer accept (password or auth-provider)');
  return undefined;
}

/** Malformed credentials fail here, where the error can name the file, and not in the HTTP client. */
function checked(raw: RawCredentials, refuse: (what: string) => Error): Credentials {
  if ('token' in raw) {
    if (!TOKEN.test(raw.token)) throw refuse('its token is empty or contains invalid characters');
    return { token: new Secret(raw.token) };
  }
  const pair = encodedPair(raw);
  if (pair === undefined) throw refuse('its client certificate cannot be read, or its key does not match');
  return pair;
}

/** The parsed certificate and key. The certificate is not secret, so nothing else of its file may come with it. */
function encodedPair(raw: { certificate: string; key: string }): Credentials | undefined {
  try {
    const [clientCertificate, key] = [certificatesPem(raw.certificate), privateKeyPem(raw.key)];
    const [leaf] = readCertificates(clientCertificate);
    if (leaf === undefined || !fitsKey(leaf, key)) return undefined;
    return { clientCertificate, clientKey: new Secret(key) };
  } catch {
    return undefined;
  }
}
