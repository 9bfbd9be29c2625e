/** Who asks for the certificate, as the user of a discovery file says. Source: client-go, tools/clientcmd/api/v1 and plugin/pkg/client/auth/exec. */
import { base64Text, type Commands, clean, type Files, fail, Secret } from '../../engine/sdk/index.ts';
import { besides, type Origin } from './file.ts';

export interface Credentials {
  token?: Secret;
  /** PEM. */
  clientCertificate?: string;
  clientKey?: Secret;
}

/** Undefined where the user has none. E_DISCOVERY_FILE for what is not for a file of this origin, or makes no sense. */
export async function credentialsOf(
  user: Record<string, unknown>,
  origin: Origin,
  { files, commands }: { files: Files; commands: Commands },
): Promise<Credentials | undefined> {
  const refuse = (what: string) => fail('E_DISCOVERY_FILE', { file: origin.name, what });
  const named = (key: string): string | undefined =>
    typeof user[key] === 'string' && user[key] !== '' ? user[key] : undefined;
  if (user.exec !== undefined) {
    if (!origin.ofRoot) throw refuse('it names a program to run (exec), and not only root can have written it');
    return execCredentials(user.exec, commands, refuse);
  }
  const [tokenFile, token] = [named('tokenFile'), named('token')];
  if (tokenFile !== undefined) {
    if (!origin.ofRoot) throw refuse('it names a file with a token, and not only root can have written it');
    return { token: new Secret((await besides(origin, tokenFile, files, refuse)).trim()) };
  }
  if (token !== undefined) return { token: new Secret(token) };
  const pem = async (data: string, file: string): Promise<string> => {
    const [inline, path] = [named(data), named(file)];
    if (inline !== undefined) return base64Text(inline);
    return path === undefined ? '' : besides(origin, path, files, refuse);
  };
  const certificate = await pem('client-certificate-data', 'client-certificate');
  const key = await pem('client-key-data', 'client-key');
  if (certificate !== '' && key !== '') return { clientCertificate: certificate, clientKey: new Secret(key) };
  if (certificate !== '' || key !== '')
    throw refuse('its user has a certificate without a key, or a key without a certificate');
  if (named('username') !== undefined || user['auth-provider'] !== undefined)
    throw refuse('its user has credentials of a kind that API servers do not take any more');
  return undefined;
}

interface ExecCredential {
  kind?: unknown;
  status?: { token?: unknown; clientCertificateData?: unknown; clientKeyData?: unknown };
}

async function execCredentials(
  exec: unknown,
  commands: Commands,
  refuse: (what: string) => Error,
): Promise<Credentials> {
  const { command, args, env, apiVersion } = exec as Record<string, unknown>;
  if (typeof command !== 'string' || !command.startsWith('/')) throw refuse('its exec command is no absolute path');
  const words = Array.isArray(args) ? args.map(String) : [];
  const pairs = (Array.isArray(env) ? env : []) as { name?: unknown; value?: unknown }[];
  const info = { apiVersion, kind: 'ExecCredential', spec: { interactive: false } };
  const environment = {
    ...Object.fromEntries(pairs.map(({ name, value }) => [String(name), String(value)])),
    KUBERNETES_EXEC_INFO: JSON.stringify(info),
  };
  const { exitCode, stdout, stderr } = await commands.query([command, ...words], environment);
  if (exitCode !== 0) throw refuse(`${command} ended with ${exitCode}: ${clean(stderr)}`);
  let status: ExecCredential['status'];
  try {
    status = (JSON.parse(stdout) as ExecCredential).status;
  } catch {
    throw refuse(`${command} printed no JSON`);
  }
  const { token, clientCertificateData: certificate, clientKeyData: key } = status ?? {};
  if (typeof token === 'string') return { token: new Secret(token) };
  if (typeof certificate === 'string' && typeof key === 'string')
    return { clientCertificate: certificate, clientKey: new Secret(key) };
  throw refuse(`${command} gave neither a token nor a certificate with its key`);
}
