/** Combines the values of a configuration file with flags and variables. Source: kubeadm's rules for mixing both. */
import { isSecret } from '../sdk/index.ts';
import { maskTokens } from '../sdk/text.ts';
import type { Field } from './fields.ts';
import type { JoinConfiguration, Place } from './load.ts';
import { hostnameOverride, type JoinSettings } from './settings.ts';

/**
 * Inputs that the file also sets. kubeadm refuses their flags together with a file. Flags that only Joinery has are
 * allowed.
 */
const REFUSED = [
  'apiserverAdvertiseAddress',
  'apiserverBindPort',
  'certificateKey',
  'discoveryFile',
  'discoveryToken',
  'discoveryTokenCaCertHash',
  'discoveryTokenUnsafeSkipCaVerification',
  'featureGates',
  'tlsBootstrapToken',
  'token',
];

/** Fields of a file that have no effect. */
const WITHOUT_EFFECT: readonly Field[] = [
  'clusterName',
  'imagePullPolicy',
  'imagePullSerial',
  'upgradeManifestsTimeout',
];
/** Fields that have no effect on a worker. */
const OF_CONTROL_PLANE: readonly Field[] = [
  'controlPlaneComponentHealthCheckTimeout',
  'etcdApiCallTimeout',
  'kubernetesApiCallTimeout',
];

export interface Configured {
  /** Plain data; tokens are `Secret`s. */
  value: unknown;
  place: Place;
}

export interface Mixed {
  /** The values of the file, by input (and so by flag). */
  configured: Record<string, Configured>;
  /** The flags and variables that apply in addition to the file. Each overrides the file. */
  typed: Record<string, unknown>;
  dryRun: boolean;
  /** For E_INPUT. */
  problems: string[];
  notes: string[];
}

/**
 * Combines the values of a file with flags and variables, both by the names of inputs.
 *
 * | flag or variable | together with `--config` |
 * |---|---|
 * | nodeName, criSocket, patches, skipPhases | overrides the file |
 * | ignorePreflightErrors | is added to the list in the file |
 * | endpoint | the file wins, with a note if the endpoints differ |
 * | inputs that decide whom to trust, and gates | is refused |
 * | any other input of a pipeline | is used |
 *
 * `nameOf` names the flag or the variable that set an input.
 */
export function mixConfigAndFlags(
  configuration: JoinConfiguration,
  typed: Readonly<Record<string, unknown>>,
  nameOf: (input: string) => string,
): Mixed {
  const { settings } = configuration;
  const problems = mixingProblems(typed, nameOf);
  const override = hostnameOverride(settings.kubeletExtraArgs);
  if (typed.nodeName !== undefined && override !== undefined && typed.nodeName !== override)
    problems.push(
      `${nameOf('nodeName')} ${typed.nodeName} contradicts hostname-override in the file, which is ` +
        `${maskTokens(override)} and wins`,
    );

  const { endpoint, ignorePreflightErrors, ...rest } = typed;
  const ignored = [...new Set([...settings.ignorePreflightErrors, ...((ignorePreflightErrors ?? []) as string[])])];
  const checks = new Set(ignored.map((check) => check.trim().toLowerCase()));
  if (checks.size > 1 && checks.has('all'))
    problems.push(
      `${nameOf('ignorePreflightErrors')} and the file combine 'all' with single checks: name either all or ` +
        'single checks',
    );
  return {
    configured: configuredInputs(configuration),
    typed: { ...rest, ...(ignorePreflightErrors === undefined ? {} : { ignorePreflightErrors: ignored }) },
    dryRun: settings.dryRun,
    problems,
    notes: notesOf(configuration, endpoint),
  };
}

/** The flags and variables that cannot be combined with any file. */
export function mixingProblems(typed: Readonly<Record<string, unknown>>, nameOf: (input: string) => string): string[] {
  const refused = REFUSED.filter((name) => typed[name] !== undefined).map(nameOf);
  return refused.length === 0
    ? []
    : [`--config cannot be combined with ${refused.join(', ')}: use the fields of the file instead`];
}

function notesOf({ settings, placeOf, warnings }: JoinConfiguration, endpoint: unknown): string[] {
  const notes = warnings.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`);
  const servers = settings.discovery.by === 'token' ? settings.discovery.apiServers : [];
  if (endpoint !== undefined && !servers.includes(String(endpoint)))
    notes.push(`${endpoint} is ignored: the file has ${servers.join(', ') || 'a discovery file'}`);
  if (servers.length > 1)
    notes.push(`only ${servers[0]}, the first of the ${servers.length} API servers in the file, is used`);
  const isWorker = settings.controlPlane === undefined;
  const idle = [...WITHOUT_EFFECT, ...(isWorker ? OF_CONTROL_PLANE : [])].flatMap((field) => placeOf(field) ?? []);
  const [first] = idle;
  const role = isWorker ? 'worker' : 'control plane';
  if (first !== undefined)
    notes.push(`${first.file}: ${idle.map(({ field }) => field).join(', ')}: no effect on a ${role}`);
  return notes;
}

/** The values that the join uses, each with the place of the first field that sets it. */
function configuredInputs({ settings, placeOf }: JoinConfiguration): Record<string, Configured> {
  const { discovery, kubeletExtraArgs, featureGates, timeouts } = settings;
  const token = discovery.by === 'token' ? discovery : undefined;
  const override = hostnameOverride(kubeletExtraArgs);
  const inputs: Record<string, [value: unknown, ...fields: Field[]]> = {
    discoveryFile: [discovery.by === 'file' ? discovery.file : undefined, 'discoveryFile'],
    endpoint: [token?.apiServers[0], 'apiServers'],
    discoveryToken: [token?.token, 'discoveryToken', 'token'],
    discoveryTokenCaCertHash: [token?.caCertHashes, 'caCertHashes'],
    discoveryTokenUnsafeSkipCaVerification: [token?.unsafeSkipCaVerification, 'unsafeSkipCaVerification'],
    tlsBootstrapToken: [settings.tlsBootstrapToken, 'tlsBootstrapToken', 'token', 'discoveryToken'],
    nodeName: [settings.nodeName, override === undefined ? 'nodeName' : 'kubeletExtraArgs'],
    criSocket: [settings.criSocket, 'criSocket'],
    ignorePreflightErrors: [settings.ignorePreflightErrors, 'ignorePreflightErrors'],
    caCertPath: [settings.caCertPath, 'caCertPath'],
    patches: [settings.patches, 'patches'],
    skipPhases: [settings.skipPhases, 'skipPhases'],
    taints: [settings.taints, 'taints'],
    kubeletExtraArgs: [kubeletExtraArgs, 'kubeletExtraArgs'],
    featureGates: [gatesText(featureGates), 'featureGates'],
    discoveryTimeout: [millisecondsText(timeouts.discoveryMs), 'discoveryTimeout'],
    tlsBootstrapTimeout: [millisecondsText(timeouts.tlsBootstrapMs), 'tlsBootstrapTimeout'],
    kubeletHealthCheckTimeout: [millisecondsText(timeouts.kubeletHealthCheckMs), 'kubeletHealthCheckTimeout'],
    ...controlPlaneInputs(settings),
  };
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, [value, ...fields]]) => {
      const place = saysNothing(value) ? undefined : placeOf(...fields);
      return place === undefined ? [] : [[name, { value, place }]];
    }),
  );
}

function controlPlaneInputs({ controlPlane, timeouts }: JoinSettings): Record<string, [value: unknown, Field]> {
  if (controlPlane === undefined) return {};
  return {
    certificateKey: [controlPlane.certificateKey, 'certificateKey'],
    apiserverAdvertiseAddress: [controlPlane.advertiseAddress, 'advertiseAddress'],
    apiserverBindPort: [controlPlane.bindPort, 'bindPort'],
    controlPlaneComponentHealthCheckTimeout: [
      millisecondsText(timeouts.controlPlaneComponentHealthCheckMs),
      'controlPlaneComponentHealthCheckTimeout',
    ],
    etcdApiCallTimeout: [millisecondsText(timeouts.etcdApiCallMs), 'etcdApiCallTimeout'],
    kubernetesApiCallTimeout: [millisecondsText(timeouts.kubernetesApiCallMs), 'kubernetesApiCallTimeout'],
  };
}

/** In the form that `--feature-gates` takes. */
const gatesText = (gates: JoinSettings['featureGates']): string | undefined =>
  Object.entries(gates)
    .map(([name, value]) => `${name}=${value}`)
    .join() || undefined;

/** A time limit in whole seconds or, if it has a fraction, in milliseconds. */
const millisecondsText = (ms: number | undefined): string | undefined => {
  if (ms === undefined) return undefined;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${Math.ceil(ms)}ms`;
};

const saysNothing = (value: unknown): boolean =>
  value === undefined || value === false || (!isSecret(value) && typeof value === 'object' && isEmpty(value));
const isEmpty = (value: object | null): boolean => Object.keys(value ?? {}).length === 0;
