/** Completes the cluster's KubeletConfiguration as kubeadm does. Source: kubeadm, componentconfigs/kubelet. */
import { fail } from '../sdk/errors.ts';
import type { Files, Log, Services } from '../sdk/ports.ts';
import { valueText } from '../sdk/text.ts';
import { defaultCgroupDriver } from './cgroup-driver.ts';
import { clusterSettings } from './cluster-settings.ts';
import { fields } from './fields.ts';
import { healthUrl, minorOf } from './kubelet.ts';
import { wrongKubeletField } from './kubelet-field-types.ts';
import { applyPatches } from './patches.ts';
import { paths } from './paths.ts';
import { holds } from './release-facts.ts';
import { dnsAddress } from './service-subnet.ts';

const RESOLVED_CONF = '/run/systemd/resolve/resolv.conf';
const DNS_DOMAIN = 'cluster.local';

type Tree = Record<string, unknown>;

export interface CompletionInputs {
  kubeletVersion: string;
  clusterConfiguration: object | undefined;
  caCertPath: string;
}

/** The configuration that a kubelet gets: the cluster's, completed and patched. Throws E_PATCH. */
export async function kubeletConfigurationOf(
  ports: { files: Files; services: Services; log: Log },
  configuration: object,
  { patches, ...inputs }: CompletionInputs & { patches: string | undefined },
): Promise<Tree> {
  const complete = await completed(ports, configuration, inputs);
  if (patches === undefined) return complete;
  const patched = await applyPatches(complete, patches, ports);
  const wrong = wrongWith(patched);
  if (wrong !== undefined) throw fail('E_PATCH', { file: patches, what: `the result has ${wrong}` });
  return patched;
}

/** A value with which no kubelet would start. */
function wrongWith(document: Tree): string | undefined {
  const { cgroupDriver: driver, healthzBindAddress, healthzPort } = document;
  if (driver !== undefined && driver !== 'systemd' && driver !== 'cgroupfs')
    return `the unknown cgroupDriver ${valueText(driver)}`;
  if (healthUrl(document) !== undefined) return wrongKubeletField(document);
  return `an invalid healthzBindAddress (${valueText(healthzBindAddress)}) or healthzPort (${valueText(healthzPort)})`;
}

/** Adds kubeadm's value to each field that is unset. Rotation of the certificates is always on. */
export async function completed(
  ports: { files: Files; services: Services },
  configuration: object,
  { kubeletVersion, clusterConfiguration, caCertPath }: CompletionInputs,
): Promise<Tree> {
  const { certificatesDir, serviceSubnet, dnsDomain } = clusterSettings(clusterConfiguration);
  const isDefaultPath = caCertPath === fields.caCertPath.default && certificatesDir !== undefined;
  const defaults: Tree = {
    staticPodPath: paths.manifests,
    clusterDNS: [dnsAddress(serviceSubnet)],
    clusterDomain: dnsDomain ?? DNS_DOMAIN,
    authentication: {
      x509: { clientCAFile: isDefaultPath ? `${certificatesDir.replace(/\/+$/, '')}/ca.crt` : caCertPath },
      anonymous: { enabled: false },
      webhook: { enabled: true },
    },
    authorization: { mode: 'Webhook' },
    healthzBindAddress: '127.0.0.1',
    healthzPort: 10248,
    // Older kubeadms leave the field to the kubelet.
    ...(holds('systemdDriver', kubeletVersion) ? { cgroupDriver: defaultCgroupDriver(kubeletVersion) } : {}),
    ...((await usesResolved(ports)) ? { resolvConf: RESOLVED_CONF } : {}),
  };
  return { ...filled(configuration, defaults), rotateCertificates: true };
}

/** With systemd-resolved, /etc/resolv.conf names a stub resolver that Pods cannot reach. */
const usesResolved = async ({ files, services }: { files: Files; services: Services }): Promise<boolean> =>
  (await files.stat(RESOLVED_CONF)) !== undefined && (await services.status('systemd-resolved')).active;

function filled(value: unknown, defaults: Tree): Tree {
  const tree: Tree = isTree(value) ? { ...value } : {};
  for (const [name, standard] of Object.entries(defaults)) {
    if (isTree(standard)) tree[name] = filled(tree[name], standard);
    else if (tree[name] === undefined || tree[name] === null || tree[name] === '') tree[name] = standard;
  }
  return tree;
}

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The ConfigMap with the configuration of the kubelets, in a cluster of this version. */
export const kubeletConfigMap = ({ kubernetesVersion }: { kubernetesVersion: string }): string =>
  holds('unversionedKubeletConfig', kubernetesVersion)
    ? 'kubelet-config'
    : `kubelet-config-1.${minorOf(kubernetesVersion)}`;

export interface ConfigurationSources {
  /** The cluster's configuration, as its ConfigMap has it. */
  kubeletConfiguration: object;
  clusterConfiguration?: { kubernetesVersion: string } | undefined;
  patches?: string | undefined;
}

/** Where the value of a field comes from, for errors. `standard` is the value without ConfigMap and patches. */
export function originOf(
  field: string,
  { value, standard }: { value: unknown; standard: unknown },
  { kubeletConfiguration, clusterConfiguration, patches }: ConfigurationSources,
): string {
  const name = clusterConfiguration === undefined ? 'kubelet-config' : kubeletConfigMap(clusterConfiguration);
  const place = `ConfigMap kube-system/${name}`;
  const own = (kubeletConfiguration as Tree)[field];
  if (own !== undefined && own === value) return `${field} in ${place}`;
  if (patches !== undefined && value !== standard) return `${field} in a patch of ${patches}`;
  return `the default, because ${place} has no ${field}`;
}
