/**
 * The path of each field in each version. The other files of this folder use one name for a field in all versions. A
 * path is valid from its version up to the next entry; `gone` means that kubeadm dropped the field. Source: the types
 * and conversions of kubeadm 1.8 to 1.36.
 *
 * | field | v1alpha1 | v1alpha2, v1alpha3 | v1beta1 to v1beta3 | v1beta4 |
 * |---|---|---|---|---|
 * | token | token | = | - | - |
 * | discovery | discoveryToken, … | = | discovery.bootstrapToken, discovery.file | = |
 * | node | nodeName, criSocket | nodeRegistration | = | = |
 * | arguments | - | nodeRegistration.kubeletExtraArgs, a mapping | = | the same, a list |
 * | time limits | discoveryTimeout | = | discovery.timeout | timeouts |
 * | the cluster's | clusterName, featureGates | = | - | - |
 * | control plane | - | v1alpha3: controlPlane, apiEndpoint | controlPlane | = |
 */
import type { Path } from '../documents/problems.ts';
import { maskTokens } from '../sdk/text.ts';
import { VERSIONS, type Version } from './versions.ts';

const gone = '';

/** In the order of a migrated file. */
const places = {
  token: { v1alpha1: 'token', v1beta1: gone },
  discoveryToken: { v1alpha1: 'discoveryToken', v1beta1: 'discovery.bootstrapToken.token' },
  apiServers: { v1alpha1: 'discoveryTokenAPIServers', v1beta1: 'discovery.bootstrapToken.apiServerEndpoint' },
  caCertHashes: { v1alpha1: 'discoveryTokenCACertHashes', v1beta1: 'discovery.bootstrapToken.caCertHashes' },
  unsafeSkipCaVerification: {
    v1alpha1: 'discoveryTokenUnsafeSkipCAVerification',
    v1beta1: 'discovery.bootstrapToken.unsafeSkipCAVerification',
  },
  discoveryFile: { v1alpha1: 'discoveryFile', v1beta1: 'discovery.file.kubeConfigPath' },
  tlsBootstrapToken: { v1alpha1: 'tlsBootstrapToken', v1beta1: 'discovery.tlsBootstrapToken' },
  nodeName: { v1alpha1: 'nodeName', v1alpha2: 'nodeRegistration.name' },
  criSocket: { v1alpha1: 'criSocket', v1alpha2: 'nodeRegistration.criSocket' },
  taints: { v1alpha2: 'nodeRegistration.taints' },
  kubeletExtraArgs: { v1alpha2: 'nodeRegistration.kubeletExtraArgs' },
  ignorePreflightErrors: { v1beta2: 'nodeRegistration.ignorePreflightErrors' },
  imagePullPolicy: { v1beta3: 'nodeRegistration.imagePullPolicy' },
  imagePullSerial: { v1beta4: 'nodeRegistration.imagePullSerial' },
  caCertPath: { v1alpha1: 'caCertPath' },
  patches: { v1beta3: 'patches.directory' },
  skipPhases: { v1beta3: 'skipPhases' },
  controlPlaneComponentHealthCheckTimeout: { v1beta4: 'timeouts.controlPlaneComponentHealthCheck' },
  discoveryTimeout: { v1alpha1: 'discoveryTimeout', v1beta1: 'discovery.timeout', v1beta4: 'timeouts.discovery' },
  etcdApiCallTimeout: { v1beta4: 'timeouts.etcdAPICall' },
  kubeletHealthCheckTimeout: { v1beta4: 'timeouts.kubeletHealthCheck' },
  kubernetesApiCallTimeout: { v1beta4: 'timeouts.kubernetesAPICall' },
  tlsBootstrapTimeout: { v1beta4: 'timeouts.tlsBootstrap' },
  upgradeManifestsTimeout: { v1beta4: 'timeouts.upgradeManifests' },
  dryRun: { v1beta4: 'dryRun' },
  clusterName: { v1alpha1: 'clusterName', v1beta1: gone },
  featureGates: { v1alpha1: 'featureGates', v1beta1: gone },
  controlPlane: { v1alpha3: 'controlPlane' },
  apiEndpoint: { v1alpha3: 'apiEndpoint', v1beta1: gone }, // now in controlPlane
  advertiseAddress: {
    v1alpha3: 'apiEndpoint.advertiseAddress',
    v1beta1: 'controlPlane.localAPIEndpoint.advertiseAddress',
  },
  bindPort: { v1alpha3: 'apiEndpoint.bindPort', v1beta1: 'controlPlane.localAPIEndpoint.bindPort' },
  certificateKey: { v1beta2: 'controlPlane.certificateKey' },
} satisfies Record<string, Partial<Record<Version, string>>>;

export type Field = keyof typeof places;
export const FIELDS = Object.keys(places) as Field[];

/** The path of the field in that version, with dots; undefined if the version lacks it. */
export function dottedPathOf(field: Field, version: Version): string | undefined {
  const since: Partial<Record<Version, string>> = places[field];
  const until = VERSIONS.slice(0, VERSIONS.indexOf(version) + 1);
  return until.map((each) => since[each]).findLast((place) => place !== undefined) || undefined;
}

/** No field of kubeadm has a dot in its name. */
export const pathOf = (place: string): string[] => place.split('.');

/** The value at `path` in plain data, or undefined. */
export function valueAt(value: unknown, path: Path): unknown {
  let found = value;
  for (const key of path) found = (found as Record<string | number, unknown> | null | undefined)?.[key];
  return found;
}

/**
 * A readable path: `nodeRegistration.taints[0].key`. It omits a key that is not a name, because the key may be a
 * misplaced token.
 */
export const nameOf = (path: Path): string =>
  path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${isName(key) ? key : '?'}`))
    .join('')
    .slice(1);
export const isName = (key: string): boolean => /^[A-Za-z][A-Za-z0-9-]{0,60}$/.test(key) && maskTokens(key) === key;

/** The value of a field in a document of that version. */
export function fieldValue(version: Version, document: object, field: Field): unknown {
  const place = dottedPathOf(field, version);
  return place === undefined ? undefined : valueAt(document, pathOf(place));
}
