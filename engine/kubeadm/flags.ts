/** What was typed beside `--config`. Source: kubeadm's rules for mixing both. */
import { isSecret } from '../sdk/index.ts';
import { hostnameOverride, type JoinSettings } from './settings.ts';

/** Flags that say what the file says, by the input they set. kubeadm refuses them beside it; Joinery's own are not among them. */
const REFUSED: Record<string, string> = {
  apiserverAdvertiseAddress: '--apiserver-advertise-address',
  apiserverBindPort: '--apiserver-bind-port',
  certificateKey: '--certificate-key',
  controlPlane: '--control-plane',
  discoveryFile: '--discovery-file',
  discoveryToken: '--discovery-token',
  discoveryTokenCaCertHash: '--discovery-token-ca-cert-hash',
  discoveryTokenUnsafeSkipCaVerification: '--discovery-token-unsafe-skip-ca-verification',
  featureGates: '--feature-gates',
  tlsBootstrapToken: '--tls-bootstrap-token',
  token: '--token',
};

export interface Mixed {
  /** By the names of inputs, which are those of flags; what neither file nor flags say is left out. Tokens are `Secret`s. */
  inputs: Record<string, unknown>;
  dryRun: boolean;
  skipPhases: string[];
  /** In the words of flags, for E_INPUT. */
  problems: string[];
  warnings: string[];
}

/**
 * The settings of a file, and what was typed, by the names of inputs (with `dryRun` and `skipPhases` among them).
 *
 * | typed | beside `--config` |
 * |---|---|
 * | nodeName, criSocket, patches, skipPhases | wins over the file |
 * | ignorePreflightErrors | is added to the file's |
 * | dryRun | as if the file had it too |
 * | endpoint | the file's is taken, with a warning if it is another |
 * | what decides whom to trust, gates, all of a control plane | is refused |
 * | any other input of a pipeline | is taken |
 */
export function mixConfigAndFlags(settings: JoinSettings, typed: Readonly<Record<string, unknown>>): Mixed {
  const problems: string[] = [];
  const warnings: string[] = [];
  const refused = Object.keys(REFUSED).filter((name) => typed[name] !== undefined);
  if (refused.length > 0)
    problems.push(
      `--config cannot stand beside ${refused.map((name) => REFUSED[name]).join(', ')}: the file decides that`,
    );

  const override = hostnameOverride(settings.kubeletExtraArgs);
  if (typed.nodeName !== undefined && override !== undefined && typed.nodeName !== override)
    problems.push(`--node-name ${typed.nodeName} is not the ${override} that hostname-override in the file wins with`);

  const ignored = [
    ...new Set([...settings.ignorePreflightErrors, ...((typed.ignorePreflightErrors ?? []) as string[])]),
  ];
  if (ignored.length > 1 && ignored.some((check) => check.toLowerCase() === 'all'))
    problems.push(
      '--ignore-preflight-errors and the file together say all and single checks: give only one of the two',
    );

  const { endpoint, dryRun, skipPhases, ...rest } = typed;
  const servers = settings.discovery.by === 'token' ? settings.discovery.apiServers : [];
  if (endpoint !== undefined && !servers.includes(String(endpoint)))
    warnings.push(`${endpoint} is not asked: the file says ${servers.join(', ') || 'a discovery file'}`);
  if (servers.length > 1) warnings.push(`of the ${servers.length} API servers in the file only ${servers[0]} is asked`);

  const inputs = {
    ...inputsOf(settings),
    ...rest,
    ...(ignored.length > 0 ? { ignorePreflightErrors: ignored } : {}),
  };
  return {
    inputs,
    dryRun: dryRun === true || settings.dryRun,
    skipPhases: (skipPhases as string[] | undefined) ?? settings.skipPhases,
    problems,
    warnings,
  };
}

/** What a worker makes use of. The image pull policy and the cluster's name change nothing for one. */
function inputsOf(settings: JoinSettings): Record<string, unknown> {
  const { discovery, kubeletExtraArgs, featureGates, timeouts } = settings;
  const inputs: Record<string, unknown> = {
    ...(discovery.by === 'file'
      ? { discoveryFile: discovery.file }
      : {
          endpoint: discovery.apiServers[0],
          discoveryToken: discovery.token,
          discoveryTokenCaCertHash: discovery.caCertHashes,
          discoveryTokenUnsafeSkipCaVerification: discovery.unsafeSkipCaVerification,
        }),
    tlsBootstrapToken: settings.tlsBootstrapToken,
    nodeName: settings.nodeName,
    criSocket: settings.criSocket,
    caCertPath: settings.caCertPath,
    patches: settings.patches,
    taints: settings.taints,
    kubeletExtraArgs,
    featureGates: gatesText(featureGates),
    timeouts,
  };
  return Object.fromEntries(Object.entries(inputs).filter(([, value]) => !saysNothing(value)));
}

/** As `--feature-gates` takes them. */
const gatesText = (gates: Readonly<Record<string, boolean>>): string | undefined =>
  Object.entries(gates)
    .map(([name, value]) => `${name}=${value}`)
    .join() || undefined;

const saysNothing = (value: unknown): boolean =>
  value === undefined || value === false || (!isSecret(value) && typeof value === 'object' && isEmpty(value));
const isEmpty = (value: object | null): boolean => Object.keys(value ?? {}).length === 0;
