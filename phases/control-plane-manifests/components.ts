/** The three components, with the arguments of kubeadm. Source: kubeadm, phases/controlplane/manifests.go. */
import {
  apiHost,
  type Component,
  type ControlPlaneSettings,
  commandOf,
  type HostPathMount,
  holds,
  paths,
  probeHost,
  type StaticPod,
} from '../../engine/node/index.ts';
import type { ProxyVariable } from '../../engine/sdk/index.ts';
import { certificateMounts, externalEtcdMounts, FLEX_VOLUMES, readOnlyMount, withExtra } from './volumes.ts';

export interface Machine {
  advertiseAddress: string;
  bindPort: number;
  certificatesDir: string;
  /** Without the key of the CA, the controller manager cannot sign certificates. */
  hasCaKey: boolean;
  caDirectories: HostPathMount[];
  startSeconds: number;
  proxyVariables: readonly ProxyVariable[];
}

const ENDPOINT_ANNOTATION = 'kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint';

export function apiServer(settings: ControlPlaneSettings, machine: Machine): StaticPod {
  const { advertiseAddress, bindPort, certificatesDir, caDirectories, startSeconds } = machine;
  const { version, apiServer: component } = settings;
  const mounts = [
    ...certificateMounts(certificatesDir, caDirectories),
    ...externalEtcdMounts(settings, certificatesDir, caDirectories),
  ];
  const probe = (path: string) => ({ path, host: probeHost(advertiseAddress), scheme: 'HTTPS' as const });
  return {
    name: 'kube-apiserver',
    image: imageOf(settings, 'kube-apiserver'),
    annotations: { [ENDPOINT_ANNOTATION]: `${apiHost(advertiseAddress)}:${bindPort}` },
    command: commandOf('kube-apiserver', apiServerDefaults(settings, machine), component.extraArgs, version),
    env: environmentOf(component, machine),
    requests: { cpu: '250m' },
    port: bindPort,
    probes: { liveness: probe('/livez'), readiness: probe('/readyz'), startup: probe('/livez') },
    startSeconds,
    mounts: withExtra(mounts, component),
  };
}

/** Those of the configuration override the proxies of this machine. Source: kubeadm, util/env.go. */
function environmentOf({ extraEnvs }: Component, { proxyVariables }: Machine): object[] {
  const others = proxyVariables.filter(({ name }) => !extraEnvs.some((variable) => variable.name === name));
  return [...others, ...extraEnvs].sort((one, other) => (String(one.name) < String(other.name) ? -1 : 1));
}

function apiServerDefaults(settings: ControlPlaneSettings, machine: Machine): Record<string, string> {
  const { apiServer: component, serviceSubnet, dnsDomain, version } = settings;
  const { certificatesDir: pki, advertiseAddress, bindPort } = machine;
  const hasAuthorizationFile = component.extraArgs.some(({ name }) => name === 'authorization-config');
  return {
    'advertise-address': advertiseAddress,
    'allow-privileged': 'true',
    ...(hasAuthorizationFile ? {} : { 'authorization-mode': 'Node,RBAC' }),
    'client-ca-file': `${pki}/ca.crt`,
    'enable-admission-plugins': 'NodeRestriction',
    'enable-bootstrap-token-auth': 'true',
    ...etcdArguments(settings, machine),
    ...(holds('noInsecurePortFlag', version) ? {} : { 'insecure-port': '0' }),
    'kubelet-client-certificate': `${pki}/apiserver-kubelet-client.crt`,
    'kubelet-client-key': `${pki}/apiserver-kubelet-client.key`,
    'kubelet-preferred-address-types': 'InternalIP,ExternalIP,Hostname',
    'proxy-client-cert-file': `${pki}/front-proxy-client.crt`,
    'proxy-client-key-file': `${pki}/front-proxy-client.key`,
    'requestheader-allowed-names': 'front-proxy-client',
    'requestheader-client-ca-file': `${pki}/front-proxy-ca.crt`,
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-username-headers': 'X-Remote-User',
    'secure-port': String(bindPort),
    'service-account-issuer': `https://kubernetes.default.svc.${dnsDomain}`,
    'service-account-key-file': `${pki}/sa.pub`,
    'service-account-signing-key-file': `${pki}/sa.key`,
    'service-cluster-ip-range': serviceSubnet,
    'tls-cert-file': `${pki}/apiserver.crt`,
    'tls-private-key-file': `${pki}/apiserver.key`,
  };
}

function etcdArguments({ etcd }: ControlPlaneSettings, { certificatesDir, advertiseAddress }: Machine) {
  if ('external' in etcd) {
    const { endpoints, caFile, certFile, keyFile } = etcd.external;
    return {
      'etcd-servers': endpoints.join(','),
      ...(caFile === '' ? {} : { 'etcd-cafile': caFile }),
      ...(certFile === '' || keyFile === '' ? {} : { 'etcd-certfile': certFile, 'etcd-keyfile': keyFile }),
    };
  }
  const clientUrls = etcd.local.extraArgs.findLast(({ name }) => name === 'advertise-client-urls')?.value;
  const loopback = advertiseAddress.includes(':') ? '[::1]' : '127.0.0.1';
  return {
    'etcd-servers': clientUrls ?? `https://${loopback}:2379`,
    'etcd-cafile': `${certificatesDir}/etcd/ca.crt`,
    'etcd-certfile': `${certificatesDir}/apiserver-etcd-client.crt`,
    'etcd-keyfile': `${certificatesDir}/apiserver-etcd-client.key`,
  };
}

export function controllerManager(settings: ControlPlaneSettings, machine: Machine): StaticPod {
  const { version, controllerManager: component, clusterName, podSubnet, serviceSubnet } = settings;
  const { certificatesDir: pki, caDirectories } = machine;
  const conf = paths.controllerManagerConf;
  const subnets = { 'allocate-node-cidrs': 'true', 'cluster-cidr': podSubnet ?? '' };
  const defaults = {
    'authentication-kubeconfig': conf,
    'authorization-kubeconfig': conf,
    'bind-address': '127.0.0.1',
    'client-ca-file': `${pki}/ca.crt`,
    'cluster-name': clusterName,
    'cluster-signing-cert-file': machine.hasCaKey ? `${pki}/ca.crt` : '',
    'cluster-signing-key-file': machine.hasCaKey ? `${pki}/ca.key` : '',
    controllers: '*,bootstrapsigner,tokencleaner',
    kubeconfig: conf,
    'leader-elect': 'true',
    ...(holds('noPortFlag', version) ? {} : { port: '0' }),
    'requestheader-client-ca-file': `${pki}/front-proxy-ca.crt`,
    'root-ca-file': `${pki}/ca.crt`,
    'service-account-private-key-file': `${pki}/sa.key`,
    'use-service-account-credentials': 'true',
    ...(podSubnet === undefined ? {} : { ...subnets, 'service-cluster-ip-range': serviceSubnet }),
  };
  const flexVolumes = { ...readOnlyMount('flexvolume-dir', FLEX_VOLUMES), readOnly: undefined };
  const mounts = [
    ...certificateMounts(pki, caDirectories),
    ...(holds('noFlexVolumes', version) ? [] : [flexVolumes]),
    readOnlyMount('kubeconfig', conf, 'FileOrCreate'),
  ];
  const probe = { path: '/healthz', host: hostOf(component), scheme: 'HTTPS' as const };
  return {
    name: 'kube-controller-manager',
    image: imageOf(settings, 'kube-controller-manager'),
    command: commandOf('kube-controller-manager', defaults, component.extraArgs, version),
    env: environmentOf(component, machine),
    requests: { cpu: '200m' },
    port: 10_257,
    probes: { liveness: probe, startup: probe },
    startSeconds: machine.startSeconds,
    mounts: withExtra(mounts, component),
  };
}

export function scheduler(settings: ControlPlaneSettings, machine: Machine): StaticPod {
  const { version, scheduler: component } = settings;
  const conf = paths.schedulerConf;
  const defaults = {
    'authentication-kubeconfig': conf,
    'authorization-kubeconfig': conf,
    'bind-address': '127.0.0.1',
    kubeconfig: conf,
    'leader-elect': 'true',
    ...(holds('noPortFlag', version) ? {} : { port: '0' }),
  };
  const probe = (path: string) => ({ path, host: hostOf(component), scheme: 'HTTPS' as const });
  return {
    name: 'kube-scheduler',
    image: imageOf(settings, 'kube-scheduler'),
    command: commandOf('kube-scheduler', defaults, component.extraArgs, version),
    env: environmentOf(component, machine),
    requests: { cpu: '100m' },
    port: 10_259,
    probes: holds('schedulerLivez', version)
      ? { liveness: probe('/livez'), readiness: probe('/readyz'), startup: probe('/livez') }
      : { liveness: probe('/healthz'), startup: probe('/healthz') },
    startSeconds: machine.startSeconds,
    mounts: withExtra([readOnlyMount('kubeconfig', conf, 'FileOrCreate')], component),
  };
}

const hostOf = ({ extraArgs }: Component): string =>
  probeHost(extraArgs.findLast(({ name }) => name === 'bind-address')?.value ?? '127.0.0.1');

/** A version is a tag once every character that a tag cannot have is an underscore. */
const imageOf = ({ imageRepository, version }: ControlPlaneSettings, name: string): string =>
  `${imageRepository}/${name}:${version.replace(/[^-\w.]/g, '_')}`;
