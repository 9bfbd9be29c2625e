/** Credentials from an exec plugin. Source: client-go, plugin/pkg/client/auth/exec. */
import { type Commands, clean, defined } from '../../engine/sdk/index.ts';

/** Credentials before any check; certificate and key are PEM. */
export interface RawCredentials {
  token?: string;
  pair?: { certificate: string; key: string };
}

const API = /^client\.authentication\.k8s\.io\/v1(beta1)?$/;

/**
 * Runs the program within the limits of every command (30 s, 1 MiB). Errors quote its standard error, never its output.
 */
export async function execCredentials(
  exec: unknown,
  commands: Commands,
  refuse: (what: string) => Error,
): Promise<RawCredentials> {
  const { command, args, env, apiVersion } = mapping(exec);
  if (typeof command !== 'string' || !command.startsWith('/')) throw refuse('its exec command is not an absolute path');
  if (typeof apiVersion !== 'string' || !API.test(apiVersion))
    throw refuse('its exec apiVersion is not client.authentication.k8s.io/v1 or v1beta1');
  const words = args ?? [];
  if (!isStringArray(words)) throw refuse('its exec args are not a list of strings');
  const info = { apiVersion, kind: 'ExecCredential', spec: { interactive: false } };
  const environment = { ...environmentOf(env, refuse), KUBERNETES_EXEC_INFO: JSON.stringify(info) };
  const { exitCode, stdout, stderr } = await commands.query([command, ...words], environment);
  if (exitCode !== 0) throw refuse(`${command} exited with ${exitCode}: ${clean(stderr)}`);
  return readCredentials(stdout, command, apiVersion, refuse);
}

function environmentOf(env: unknown, refuse: (what: string) => Error): Record<string, string> {
  const pairs = (Array.isArray(env) ? env : []).map(mapping).map(({ name, value }) => [name, value]);
  if (!pairs.every(isStringArray)) throw refuse('its exec env is not a list of names and values');
  return Object.fromEntries(pairs) as Record<string, string>;
}

function readCredentials(
  stdout: string,
  command: string,
  apiVersion: string,
  refuse: (what: string) => Error,
): RawCredentials {
  let answer: Record<string, unknown>;
  try {
    answer = mapping(JSON.parse(stdout));
  } catch {
    throw refuse(`the output of ${command} is not JSON`); // no cause: the parser's error would quote the output
  }
  if (answer.kind !== 'ExecCredential' || answer.apiVersion !== apiVersion)
    throw refuse(`the output of ${command} is not an ExecCredential of ${apiVersion}`);
  const { token, clientCertificateData: certificate, clientKeyData: key } = mapping(answer.status);
  const pair = typeof certificate === 'string' && typeof key === 'string' ? { certificate, key } : undefined;
  if (typeof token !== 'string' && pair === undefined)
    throw refuse(`the output of ${command} has neither a token nor a certificate with its key`);
  return defined({ token: typeof token === 'string' ? token : undefined, pair });
}

const mapping = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
const isStringArray = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((text) => typeof text === 'string');
