/** Credentials that a program gives. Source: client-go, plugin/pkg/client/auth/exec. */
import { type Commands, clean } from '../../engine/sdk/index.ts';

/** As it was given: PEM, where it is a certificate. */
export type Given = { token: string } | { certificate: string; key: string };

const API = /^client\.authentication\.k8s\.io\/v1(beta1)?$/;

/** Runs the program within the limits of every command (30 s, 1 MiB); what it prints is shown nowhere, but for its complaints. */
export async function execCredentials(
  exec: unknown,
  commands: Commands,
  refuse: (what: string) => Error,
): Promise<Given> {
  const { command, args, env, apiVersion } = mapping(exec);
  if (typeof command !== 'string' || !command.startsWith('/')) throw refuse('its exec command is no absolute path');
  if (typeof apiVersion !== 'string' || !API.test(apiVersion))
    throw refuse('its exec apiVersion is neither client.authentication.k8s.io/v1 nor …/v1beta1');
  const words = args ?? [];
  if (!isTexts(words)) throw refuse('its exec args are no list of texts');
  const info = { apiVersion, kind: 'ExecCredential', spec: { interactive: false } };
  const environment = { ...environmentOf(env, refuse), KUBERNETES_EXEC_INFO: JSON.stringify(info) };
  const { exitCode, stdout, stderr } = await commands.query([command, ...words], environment);
  if (exitCode !== 0) throw refuse(`${command} ended with ${exitCode}: ${clean(stderr)}`);
  return given(stdout, command, apiVersion, refuse);
}

function environmentOf(env: unknown, refuse: (what: string) => Error): Record<string, string> {
  const pairs = (Array.isArray(env) ? env : []).map(mapping).map(({ name, value }) => [name, value]);
  if (!pairs.every(isTexts)) throw refuse('its exec env is no list of names and values');
  return Object.fromEntries(pairs) as Record<string, string>;
}

function given(printed: string, command: string, apiVersion: string, refuse: (what: string) => Error): Given {
  let answer: Record<string, unknown>;
  try {
    answer = mapping(JSON.parse(printed));
  } catch {
    throw refuse(`${command} printed no JSON`); // no cause: it would quote what was printed
  }
  if (answer.kind !== 'ExecCredential' || answer.apiVersion !== apiVersion)
    throw refuse(`${command} printed no ExecCredential of ${apiVersion}`);
  const { token, clientCertificateData: certificate, clientKeyData: key } = mapping(answer.status);
  if (typeof token === 'string') return { token };
  if (typeof certificate === 'string' && typeof key === 'string') return { certificate, key };
  throw refuse(`${command} gave neither a token nor a certificate with its key`);
}

const mapping = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((text) => typeof text === 'string');
