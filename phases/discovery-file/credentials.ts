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
  const named = (key: string): string | undefined => textOf(user[key]) || undefined;
  if (user.exec !== undefined && user.exec !== null) {
    if (!origin.writableByRootOnly)
      throw refuse('it names a program to run (exec), but users other than root can write the file');
    return checked(await execCredentials(user.exec, commands, refuse), refuse);
  }
  if (named('tokenFile') !== undefined && !origin.writableByRootOnly)
    throw refuse('it names a token file, but users other than root can write the discovery file');
  const raw = await writtenCredentials(user, origin, files, refuse);
  if (raw !== undefined) return checked(raw, refuse);
  if (named('username') !== undefined || (user['auth-provider'] ?? undefined) !== undefined)
    throw refuse('its user has credentials that API servers no longer accept (password or auth-provider)');
  return undefined;
}

/** What the file says itself or names; like client-go, a token file beats a token, and data beat a file. */
async function writtenCredentials(
  user: Record<string, unknown>,
  origin: Origin,
  files: Files,
  refuse: (what: string) => Error,
): Promise<RawCredentials | undefined> {
  const read = (key: string) => readReferenced(origin, textOf(user[key]), files, refuse);
  const pem = async (name: string) =>
    textOf(user[`${name}-data`]) === '' ? textOf(user[name]) && (await read(name)) : base64Text(user[`${name}-data`]);
  const token = textOf(user.tokenFile) === '' ? textOf(user.token) : (await read('tokenFile')).trim();
  const [certificate, key] = [await pem('client-certificate'), await pem('client-key')];
  if ((certificate === '') !== (key === ''))
    throw refuse('its user has a certificate without a key, or a key without a certificate');
  const hasToken = token !== '' || textOf(user.tokenFile) !== '';
  if (!hasToken && certificate === '') return undefined;
  return { ...(hasToken ? { token } : {}), ...(certificate === '' ? {} : { pair: { certificate, key } }) };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Malformed credentials fail here, where the error can name the file, and not in the HTTP client. */
function checked({ token, pair }: RawCredentials, refuse: (what: string) => Error): Credentials {
  if (token !== undefined && !TOKEN.test(token)) throw refuse('its token is empty or contains invalid characters');
  const encoded = pair === undefined ? {} : encodedPair(pair);
  if (encoded === undefined) throw refuse('its client certificate cannot be read, or its key does not match');
  return { ...(token === undefined ? {} : { token: new Secret(token) }), ...encoded };
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
