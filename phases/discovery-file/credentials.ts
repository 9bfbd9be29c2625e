/** Who asks for the certificate, as the user of a discovery file says. Source: client-go, tools/clientcmd/api/v1 and plugin/pkg/client/auth/exec. */

import { base64Text } from '../../engine/node/index.ts';
import { fitsKey, readCertificates } from '../../engine/pki/index.ts';
import { type Commands, type Files, fail, Secret } from '../../engine/sdk/index.ts';
import { execCredentials, type Given } from './exec.ts';
import { besides, type Origin } from './file.ts';

export interface Credentials {
  token?: Secret;
  /** PEM. */
  clientCertificate?: string;
  clientKey?: Secret;
}

/** What a header can hold, and what no token has: a space. */
const TOKEN = /^[!-~]+$/;

/** Undefined where the user has none. E_DISCOVERY_FILE for what is not for a file of this origin, or makes no sense. */
export async function credentialsOf(
  user: Record<string, unknown>,
  origin: Origin,
  { files, commands }: { files: Files; commands: Commands },
): Promise<Credentials | undefined> {
  const refuse = (what: string) => fail('E_DISCOVERY_FILE', { file: origin.name, what });
  const named = (key: string): string | undefined =>
    typeof user[key] === 'string' && user[key] !== '' ? user[key] : undefined;
  if (user.exec !== undefined && user.exec !== null) {
    if (!origin.ofRoot) throw refuse('it names a program to run (exec), and not only root can have written it');
    return checked(await execCredentials(user.exec, commands, refuse), refuse);
  }
  const [tokenFile, token] = [named('tokenFile'), named('token')];
  if (tokenFile !== undefined) {
    if (!origin.ofRoot) throw refuse('it names a file with a token, and not only root can have written it');
    return checked({ token: (await besides(origin, tokenFile, files, refuse)).trim() }, refuse);
  }
  if (token !== undefined) return checked({ token }, refuse);
  const pem = async (data: string, file: string): Promise<string> => {
    const [inline, path] = [named(data), named(file)];
    if (inline !== undefined) return base64Text(inline);
    return path === undefined ? '' : besides(origin, path, files, refuse);
  };
  const certificate = await pem('client-certificate-data', 'client-certificate');
  const key = await pem('client-key-data', 'client-key');
  if (certificate !== '' && key !== '') return checked({ certificate, key }, refuse);
  if (certificate !== '' || key !== '')
    throw refuse('its user has a certificate without a key, or a key without a certificate');
  if (named('username') !== undefined || (user['auth-provider'] ?? undefined) !== undefined)
    throw refuse('its user has credentials of a kind that API servers do not take any more');
  return undefined;
}

/** Before anybody is asked: what cannot be sent would be refused far from here, and by no name. */
function checked(given: Given, refuse: (what: string) => Error): Credentials {
  if ('token' in given) {
    if (!TOKEN.test(given.token)) throw refuse('its token is empty, or holds what no token can');
    return { token: new Secret(given.token) };
  }
  const { certificate, key } = given;
  if (!fits(certificate, key)) throw refuse('its client certificate cannot be read, or its key does not fit');
  return { clientCertificate: certificate, clientKey: new Secret(key) };
}

function fits(certificate: string, key: string): boolean {
  try {
    const [leaf] = readCertificates(certificate);
    return leaf !== undefined && fitsKey(leaf, key);
  } catch {
    return false;
  }
}
