/**
 * The identity and the cluster of a kubeconfig file's current context. Source of the rules: client-go, tools/clientcmd.
 */
import { dirname, resolve } from 'node:path';
import { reasonOf } from '../limits/errno.ts';
import { clusterNamed, currentContext, readKubeconfig } from '../node/kubeconfig.ts';
import { readServerAddress } from '../node/server-address.ts';
import { fitsKey, readCertificates } from '../pki/index.ts';
import { fail } from '../sdk/errors.ts';
import type { Identity } from '../sdk/ports.ts';
import { Secret } from '../sdk/secret.ts';
import { clean } from '../sdk/text.ts';

export interface Admin extends Identity {
  /** The kubeconfig file it was read from. */
  file: string;
}

type Fields = Record<string, unknown>;
/** Reads the text of a file. Throws an Error with the reason. */
type ReadText = (path: string) => Promise<string>;

// Unsupported fields must not be ignored: they would change which server gets the credentials, or which credentials it
// gets.
const CLUSTER_REFUSED = ['insecure-skip-tls-verify', 'tls-server-name', 'proxy-url'];
const USER_REFUSED = ['exec', 'auth-provider', 'username', 'password', 'as', 'as-uid', 'as-groups', 'as-user-extra'];

/** The cluster and user of the current context. Paths in the file are relative to its folder. E_KUBECONFIG. */
export async function readAdmin(file: string, read: ReadText): Promise<Admin> {
  try {
    const kubeconfig = readKubeconfig(await read(file));
    const context = currentContext(kubeconfig);
    const { server, cluster } = clusterNamed(kubeconfig, context.cluster);
    const user = kubeconfig.users.find(({ name }) => name === context.user)?.user;
    if (user === undefined) throw new Error(`it names a user "${context.user}" that does not exist`);
    refuse(cluster, CLUSTER_REFUSED);
    refuse(user, USER_REFUSED);
    const near = (path: string) => read(resolve(dirname(file), path));
    const ca = await material(cluster, 'certificate-authority', near);
    if (readCertificates(ca).length === 0) throw new Error('its cluster has no CA certificate');
    return { file, server: readServerAddress(server), ca, ...(await credentials(user, near)) };
  } catch (error) {
    throw fail('E_KUBECONFIG', { file, what: clean(whatOf(error, file)) }, error);
  }
}

/** The kubeconfig may name another file that cannot be read. */
function whatOf(error: unknown, file: string): string {
  const { path = file } = error as NodeJS.ErrnoException;
  return path === file ? reasonOf(error) : `${path}: ${reasonOf(error)}`;
}

async function credentials(user: Fields, read: ReadText): Promise<Pick<Identity, 'certificate' | 'token'>> {
  const pem = await material(user, 'client-certificate', read);
  const key = await material(user, 'client-key', read);
  const token = text(user.tokenFile) === '' ? text(user.token) : (await read(text(user.tokenFile))).trim();
  if (pem === '' && token === '') throw new Error('its user has no client certificate and no token');
  if (!/^[!-~]*$/.test(token)) throw new Error('the token of its user is not a single word');
  const [leaf] = readCertificates(pem);
  if (pem !== '' && (leaf === undefined || !fitsKey(leaf, key)))
    throw new Error('the client certificate and the client key of its user do not match');
  return {
    ...(pem === '' ? {} : { certificate: { pem, key: new Secret(key) } }),
    ...(token === '' ? {} : { token: new Secret(token) }),
  };
}

/** The value of the field `<name>-data`, or else the content of the file in the field `<name>`; empty without both. */
async function material(fields: Fields, name: string, read: ReadText): Promise<string> {
  const data = text(fields[`${name}-data`]);
  if (data !== '') return Buffer.from(data, 'base64').toString('utf8');
  const path = text(fields[name]);
  return path === '' ? '' : read(path);
}

function refuse(fields: Fields, names: readonly string[]): void {
  const found = names.find((name) => Boolean(fields[name]));
  if (found !== undefined) throw new Error(`it sets ${found}, which is not supported`);
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
