/** A configuration of each version with every field, and the values that all of them contain. */
import type { JoinSettings } from '../../engine/kubeadm/index.ts';
import type { Version } from '../../engine/kubeadm/versions.ts';
import { revealSecrets } from '../../engine/sdk/index.ts';

/** No output may contain these. */
export const DISCOVERY_TOKEN = 'cafe01.canary7f3ac0ffee';
export const BOOTSTRAP_TOKEN = 'cafe02.canary7f3ac0ffee';
export const SECRET = 'canary7f3ac0ffee';
const pieces = (length: number): string[] =>
  Array.from({ length: SECRET.length - length + 1 }, (_, at) => SECRET.slice(at, at + length));
/** Eight characters of the secret after a dot, or twelve anywhere. */
export const PIECE_OF_SECRET = new RegExp(`\\.(${pieces(8).join('|')})|${pieces(12).join('|')}`);
/** Eight characters of the secret anywhere. */
export const EIGHT_OF_SECRET = new RegExp(pieces(8).join('|'));
export const PIN = `sha256:${'0a'.repeat(32)}`;

const flat = (kind: string, version: string, middle: string) => `apiVersion: kubeadm.k8s.io/${version}
kind: ${kind}
discoveryToken: ${DISCOVERY_TOKEN}
discoveryTokenAPIServers: [10.0.0.1:6443]
discoveryTokenCACertHashes: [${PIN}]
discoveryTokenUnsafeSkipCAVerification: true
discoveryTimeout: 1m30s
tlsBootstrapToken: ${BOOTSTRAP_TOKEN}
caCertPath: /etc/pki/ca.crt
clusterName: prod
featureGates: { DynamicKubeletConfig: true }
${middle}`;

const node = `nodeRegistration:
  name: w1
  criSocket: /run/containerd/containerd.sock
  taints: [{ key: dedicated, value: gpu, effect: NoSchedule }, { key: new, effect: NoExecute }]
`;
const map = `  kubeletExtraArgs: { v: "4", node-labels: "a=b,c=d" }
`;

const nested = (version: string, node: string, rest: string, discovery = '') => `apiVersion: kubeadm.k8s.io/${version}
kind: JoinConfiguration
discovery:
  bootstrapToken:
    token: ${DISCOVERY_TOKEN}
    apiServerEndpoint: 10.0.0.1:6443
    caCertHashes: [${PIN}]
    unsafeSkipCAVerification: true
  tlsBootstrapToken: ${BOOTSTRAP_TOKEN}
${discovery}caCertPath: /etc/pki/ca.crt
${node}${rest}`;

const ignored = '  ignorePreflightErrors: [Swap, NumCPU]\n';
const pull = '  imagePullPolicy: Never\n';
const v1beta3 = 'patches: { directory: /patches }\nskipPhases: [preflight]\n';
const timeout = '  timeout: 1m30s\n';

export const examples: Record<Version, string> = {
  v1alpha1: flat('NodeConfiguration', 'v1alpha1', 'nodeName: w1\ncriSocket: /run/containerd/containerd.sock\n'),
  v1alpha2: flat('NodeConfiguration', 'v1alpha2', node + map),
  v1alpha3: flat(
    'JoinConfiguration',
    'v1alpha3',
    `${node}${map}controlPlane: false\napiEndpoint: { advertiseAddress: 1.2.3.4, bindPort: 6443 }\n`,
  ),
  v1beta1: nested('v1beta1', node + map, '', timeout),
  v1beta2: nested('v1beta2', node + map + ignored, '', timeout),
  v1beta3: nested('v1beta3', node + map + ignored + pull, v1beta3, timeout),
  v1beta4: nested(
    'v1beta4',
    `${node}  kubeletExtraArgs:
    - { name: node-labels, value: "a=b,c=d" }
    - { name: v, value: "4" }
${ignored}${pull}  imagePullSerial: false
`,
    `${v1beta3}timeouts:
  controlPlaneComponentHealthCheck: 4m0s
  discovery: 1m30s
  etcdAPICall: 2m
  kubeletHealthCheck: 1h
  kubernetesAPICall: 500ms
  tlsBootstrap: 1.5m
  upgradeManifests: 5m0s
dryRun: true
`,
  ),
};

const everywhere = {
  discovery: {
    by: 'token',
    token: DISCOVERY_TOKEN,
    apiServers: ['10.0.0.1:6443'],
    caCertHashes: [PIN],
    unsafeSkipCaVerification: true,
  },
  tlsBootstrapToken: BOOTSTRAP_TOKEN,
  nodeName: 'w1',
  criSocket: 'unix:///run/containerd/containerd.sock',
  taints: undefined,
  kubeletExtraArgs: [],
  ignorePreflightErrors: [],
  caCertPath: '/etc/pki/ca.crt',
  patches: undefined,
  skipPhases: [],
  dryRun: false,
  timeouts: { discoveryMs: 90_000 },
  featureGates: {},
  clusterName: undefined,
  imagePullPolicy: undefined,
  imagePullSerial: undefined,
};
const clusters = { clusterName: 'prod', featureGates: { DynamicKubeletConfig: true } };
const registration = {
  taints: [
    { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' },
    { key: 'new', effect: 'NoExecute' },
  ],
  kubeletExtraArgs: [
    { name: 'node-labels', value: 'a=b,c=d' },
    { name: 'v', value: '4' },
  ],
};
const checks = { ignorePreflightErrors: ['Swap', 'NumCPU'] };
const phases = { imagePullPolicy: 'Never', patches: '/patches', skipPhases: ['preflight'] };

/** The values of the examples, with the tokens revealed. */
export const meanings: Record<Version, object> = {
  v1alpha1: { ...everywhere, ...clusters },
  v1alpha2: { ...everywhere, ...clusters, ...registration },
  v1alpha3: { ...everywhere, ...clusters, ...registration },
  v1beta1: { ...everywhere, ...registration },
  v1beta2: { ...everywhere, ...registration, ...checks },
  v1beta3: { ...everywhere, ...registration, ...checks, ...phases },
  v1beta4: {
    ...everywhere,
    ...registration,
    ...checks,
    ...phases,
    imagePullSerial: false,
    dryRun: true,
    timeouts: {
      controlPlaneComponentHealthCheckMs: 240_000,
      discoveryMs: 90_000,
      etcdApiCallMs: 120_000,
      kubeletHealthCheckMs: 3_600_000,
      kubernetesApiCallMs: 500,
      tlsBootstrapMs: 90_000,
      upgradeManifestsMs: 300_000,
    },
  },
};

export const meaningOf = (settings: JoinSettings): Record<string, unknown> =>
  revealSecrets(settings) as Record<string, unknown>;
