/** Creates the objects that `kubeadm init` provides for joining machines: namespaces, roles, ConfigMaps and a token. */
import { stringify } from 'yaml';
import { installRbac } from './api/rbac.ts';
import { parseToken, tokenSecret } from './controllers/bootstrap-token.ts';
import type { Profile } from './profile.ts';
import type { Store } from './store.ts';

const TOKEN_LIFE_MS = 24 * 3_600_000;
const NAMESPACES = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];

export interface ClusterFacts {
  /** `https://127.0.0.1:PORT` */
  server: string;
  caPem: string;
  token: string;
  profile: Profile;
  healthzPort: number;
  /** Of a control plane that joins. */
  controlPlaneAddress: string | undefined;
  now: Date;
}

export function installCluster(store: Store, facts: ClusterFacts): void {
  const { server, caPem, token, profile, healthzPort, now } = facts;
  const parsed = parseToken(token);
  if (parsed === undefined) throw new TypeError('a bootstrap token has the form abcdef.0123456789abcdef');
  for (const name of NAMESPACES) store.create('namespaces', { metadata: { name }, status: { phase: 'Active' } });
  installRbac(store, profile.kubeletConfigMap, profile.withoutRoles);
  const configMap = (namespace: string, name: string, data: Record<string, string>) =>
    store.create('configmaps', { metadata: { name, namespace }, data });
  configMap('kube-public', 'cluster-info', { kubeconfig: clusterInfo(server, caPem) });
  // Up to 1.11, the key was the kind of kubeadm's document at that time.
  const key = profile.kubeadmApi === 'v1alpha1' ? 'MasterConfiguration' : 'ClusterConfiguration';
  configMap('kube-system', 'kubeadm-config', {
    [key]: goYaml({ ...clusterConfiguration(facts), kind: key }),
  });
  configMap('kube-system', profile.kubeletConfigMap, { kubelet: goYaml(kubeletConfiguration(profile, healthzPort)) });
  store.create('secrets', tokenSecret(parsed, new Date(now.getTime() + TOKEN_LIFE_MS)));
}

/** The same bytes that Go writes, because the token signs them. */
const clusterInfo = (server: string, caPem: string): string => `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${Buffer.from(caPem).toString('base64')}
    server: ${server}
  name: ""
contexts: null
current-context: ""
kind: Config
preferences: {}
users: null
`;

const goYaml = (document: object): string => stringify(document, { sortMapEntries: true, indentSeq: false });

const clusterConfiguration = ({ profile, server, controlPlaneAddress }: ClusterFacts) => {
  const { gitVersion, kubeadmApi, dns, imageRepository } = profile;
  const component = controlPlaneAddress === undefined ? {} : { extraArgs: bindAddress(profile, controlPlaneAddress) };
  return {
    apiServer: { extraArgs: { 'authorization-mode': 'Node,RBAC' }, timeoutForControlPlane: '4m0s' },
    apiVersion: `kubeadm.k8s.io/${kubeadmApi}`,
    certificatesDir: '/etc/kubernetes/pki',
    clusterName: 'kubernetes',
    controlPlaneEndpoint: new URL(server).host,
    controllerManager: component,
    dns,
    // Keys are created quickly.
    ...(controlPlaneAddress === undefined ? {} : ecdsaKeys(profile)),
    etcd: { local: { dataDir: '/var/lib/etcd' } },
    imageRepository,
    kind: 'ClusterConfiguration',
    kubernetesVersion: gitVersion,
    networking: { dnsDomain: 'cluster.local', serviceSubnet: '10.96.0.0/12' },
    scheduler: component,
  };
};

/** Arguments are a list from v1beta4 on. */
const bindAddress = ({ kubeadmApi }: Profile, value: string) =>
  kubeadmApi === 'v1beta4' ? [{ name: 'bind-address', value }] : { 'bind-address': value };

const ecdsaKeys = ({ kubeadmApi }: Profile) =>
  kubeadmApi === 'v1beta4' ? { encryptionAlgorithm: 'ECDSA-P256' } : { featureGates: { PublicKeysECDSA: true } };

/** Go also writes durations of zero; a kubelet treats them as the default. */
const kubeletConfiguration = ({ cgroupDriver, failCgroupV1 }: Profile, healthzPort: number) => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  authentication: {
    anonymous: { enabled: false },
    webhook: { cacheTTL: '0s', enabled: true },
    x509: { clientCAFile: '/etc/kubernetes/pki/ca.crt' },
  },
  authorization: { mode: 'Webhook', webhook: { cacheAuthorizedTTL: '0s', cacheUnauthorizedTTL: '0s' } },
  ...(cgroupDriver === undefined ? {} : { cgroupDriver }),
  clusterDNS: ['10.96.0.10'],
  clusterDomain: 'cluster.local',
  cpuManagerReconcilePeriod: '0s',
  evictionPressureTransitionPeriod: '0s',
  ...(failCgroupV1 === undefined ? {} : { failCgroupV1 }),
  fileCheckFrequency: '0s',
  healthzBindAddress: '127.0.0.1',
  healthzPort,
  httpCheckFrequency: '0s',
  imageMinimumGCAge: '0s',
  kind: 'KubeletConfiguration',
  logging: {},
  nodeStatusReportFrequency: '0s',
  nodeStatusUpdateFrequency: '0s',
  rotateCertificates: true,
  runtimeRequestTimeout: '0s',
  shutdownGracePeriod: '0s',
  shutdownGracePeriodCriticalPods: '0s',
  staticPodPath: '/etc/kubernetes/manifests',
  streamingConnectionIdleTimeout: '0s',
  syncFrequency: '0s',
  volumeStatsAggPeriod: '0s',
});
