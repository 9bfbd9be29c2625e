/**
 * What a cluster's ClusterConfiguration says about its control planes. Source: the types of kubeadm v1beta1 to v1beta4.
 * Every field is checked, because its value gets into a certificate or a manifest.
 */
import { durationMs, isDuration } from '../../documents/durations.ts';
import { KEY_ALGORITHMS, type KeyAlgorithm } from '../../pki/index.ts';
import { paths } from '../paths.ts';
import { ConfigurationReader, type Fields } from './configuration-reader.ts';

export interface Argument {
  name: string;
  value: string;
}

export interface HostPathMount {
  name: string;
  hostPath: string;
  mountPath: string;
  readOnly: boolean | undefined;
  pathType: string;
}

export interface Component {
  /** In the order of the configuration; a name may occur more than once. */
  extraArgs: Argument[];
  extraVolumes: HostPathMount[];
  /** Variables as in a Pod: `name` and `value`, or `valueFrom`. */
  extraEnvs: Fields[];
}

export interface LocalEtcd extends Omit<Component, 'extraVolumes'> {
  dataDir: string;
  serverCertSans: string[];
  peerCertSans: string[];
  imageRepository: string | undefined;
  imageTag: string | undefined;
}

export interface ExternalEtcd {
  endpoints: string[];
  caFile: string;
  certFile: string;
  keyFile: string;
}

export interface ControlPlaneSettings {
  /** `v1.36.2` */
  version: string;
  clusterName: string;
  certificatesDir: string;
  /** `host:port` */
  endpoint: string;
  endpointHost: string;
  imageRepository: string;
  /** One CIDR, or two that are separated by a comma. */
  serviceSubnet: string;
  podSubnet: string | undefined;
  dnsDomain: string;
  certSans: string[];
  apiServer: Component;
  controllerManager: Component;
  scheduler: Component;
  etcd: { local: LocalEtcd } | { external: ExternalEtcd };
  keyAlgorithm: KeyAlgorithm;
  certificateValidityMs: number;
}

const YEAR = '8760h';
const DEFAULT_PORT = 6443;

/** Throws E_CLUSTER_CONFIGURATION with every problem. */
export function controlPlaneSettings(configuration: object): ControlPlaneSettings {
  const root = new ConfigurationReader(configuration);
  const networking = root.child('networking');
  const validity = root.text('certificateValidityPeriod') ?? YEAR;
  if (!isDuration(validity)) root.refuse('certificateValidityPeriod', 'is not a duration such as 8760h');
  const apiServer = root.child('apiServer');
  const endpoint = endpointOf(root);
  const settings: ControlPlaneSettings = {
    version: root.required('kubernetesVersion').replace(/^v?/, 'v'),
    clusterName: root.text('clusterName') ?? 'kubernetes',
    certificatesDir: (root.path('certificatesDir') ?? paths.pki).replace(/\/+$/, ''),
    ...endpoint,
    imageRepository: root.required('imageRepository'),
    serviceSubnet: networking.required('serviceSubnet'),
    podSubnet: networking.text('podSubnet'),
    dnsDomain: networking.text('dnsDomain') ?? 'cluster.local',
    certSans: apiServer.texts('certSANs').map((name) => name.toLowerCase()),
    apiServer: componentOf(apiServer),
    controllerManager: componentOf(root.child('controllerManager')),
    scheduler: componentOf(root.child('scheduler')),
    etcd: etcdOf(root.child('etcd')),
    keyAlgorithm: keyAlgorithmOf(root),
    certificateValidityMs: durationMs(validity),
  };
  root.throwIfRefused();
  return settings;
}

function endpointOf(root: ConfigurationReader): { endpoint: string; endpointHost: string } {
  const text = root.text('controlPlaneEndpoint');
  if (text === undefined)
    root.refuse('controlPlaneEndpoint', 'is missing: control planes can only join a cluster with a stable endpoint');
  const [, host = '', port = DEFAULT_PORT] =
    /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/.exec(text ?? '') ?? [];
  if (text !== undefined && host === '') root.refuse('controlPlaneEndpoint', 'is not host or host:port');
  return { endpoint: `${host}:${port}`, endpointHost: host.replace(/^\[|\]$/g, '') };
}

/** The gate PublicKeysECDSA overrides the field, as in kubeadm. */
function keyAlgorithmOf(root: ConfigurationReader): KeyAlgorithm {
  const gate = root.child('featureGates').flag('PublicKeysECDSA');
  if (gate !== undefined) return gate ? 'ECDSA-P256' : 'RSA-2048';
  const name = root.text('encryptionAlgorithm') ?? 'RSA-2048';
  const algorithm = KEY_ALGORITHMS.find((known) => known === name);
  if (algorithm === undefined) root.refuse('encryptionAlgorithm', `must be one of ${KEY_ALGORITHMS.join(', ')}`);
  return algorithm ?? 'RSA-2048';
}

const componentOf = (reader: ConfigurationReader): Component => ({
  extraArgs: argumentsOf(reader),
  extraVolumes: reader.children('extraVolumes').map((volume) => ({
    name: volume.required('name'),
    hostPath: volume.required('hostPath'),
    mountPath: volume.required('mountPath'),
    readOnly: volume.flag('readOnly'),
    pathType: volume.text('pathType') ?? '',
  })),
  extraEnvs: reader.children('extraEnvs').map((variable) => {
    variable.required('name');
    return variable.fields;
  }),
});

/** A mapping up to v1beta3, a list of names and values in v1beta4. */
function argumentsOf(reader: ConfigurationReader): Argument[] {
  if (Array.isArray(reader.fields.extraArgs))
    return reader
      .children('extraArgs')
      .map((argument) => ({ name: argument.required('name'), value: argument.text('value') ?? '' }));
  const mapping = reader.child('extraArgs');
  return Object.keys(mapping.fields).map((name) => ({ name, value: mapping.text(name) ?? '' }));
}

function etcdOf(reader: ConfigurationReader): ControlPlaneSettings['etcd'] {
  if (reader.fields.external !== undefined) {
    const external = reader.child('external');
    return {
      external: {
        endpoints: external.texts('endpoints'),
        caFile: external.text('caFile') ?? '',
        certFile: external.text('certFile') ?? '',
        keyFile: external.text('keyFile') ?? '',
      },
    };
  }
  const local = reader.child('local');
  const { extraArgs, extraEnvs } = componentOf(local);
  return {
    local: {
      extraArgs,
      extraEnvs,
      dataDir: local.path('dataDir') ?? paths.etcdData,
      serverCertSans: local.texts('serverCertSANs'),
      peerCertSans: local.texts('peerCertSANs'),
      imageRepository: local.text('imageRepository'),
      imageTag: local.text('imageTag'),
    },
  };
}
