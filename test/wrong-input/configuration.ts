/** Invalid configuration files, and files that contradict flags. */
import { config, input, JOIN, type WrongInput } from './wrong.ts';

const TOKEN = 'abcdef.0123456789abcdef';
const CONFIG = ['--config', 'FOLDER/c.yaml'];
const CHECK_PATH =
  '  → Check the path. To create a kubeadm configuration file to start from: join config print-defaults > FILE';
const HEAD = 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\n';
const DISCOVERY = `discovery:
  bootstrapToken:
    token: ${TOKEN}
    apiServerEndpoint: 10.0.0.1:6443
    unsafeSkipCAVerification: true
`;
const file = (text: string): Pick<WrongInput, 'args' | 'files'> => ({ args: CONFIG, files: { 'c.yaml': text } });
const good = (more: string): string => HEAD + DISCOVERY + more;
const beside = (text: string, ...flags: string[]) => ({ args: [...CONFIG, ...flags], files: { 'c.yaml': text } });

export const wrongConfigurations: WrongInput[] = [
  {
    title: 'a missing configuration',
    args: CONFIG,
    exitCode: 3,
    text: `E_CONFIG_FILE: cannot read the configuration file FOLDER/c.yaml: does not exist\n${CHECK_PATH}`,
  },
  {
    title: 'a configuration that is a directory',
    args: ['--config', 'FOLDER'],
    exitCode: 3,
    text: `E_CONFIG_FILE: cannot read the configuration file FOLDER: FOLDER is a directory, not a file\n${CHECK_PATH}`,
  },
  {
    title: 'a configuration that is not YAML',
    ...file('a: [1\n'),
    exitCode: 3,
    text: config('FOLDER/c.yaml:2:1: the indentation does not match the lines above, or a bracket above is not closed'),
  },
  {
    title: 'a configuration that is empty',
    ...file(''),
    exitCode: 3,
    text: config('FOLDER/c.yaml:1:1: there is no JoinConfiguration in this file'),
  },
  {
    title: 'a configuration of another program',
    ...file('apiVersion: v1\nkind: Config\n'),
    exitCode: 3,
    text: config('FOLDER/c.yaml:1:1: there is no JoinConfiguration in this file'),
  },
  {
    title: 'a configuration of an unknown version',
    ...file(good('').replace('v1beta4', 'v1beta44')),
    exitCode: 3,
    text: config(
      'FOLDER/c.yaml:1:13: apiVersion must be one of kubeadm.k8s.io/v1alpha1, kubeadm.k8s.io/v1alpha2, kubeadm.k8s.io/v1alpha3, kubeadm.k8s.io/v1beta1, kubeadm.k8s.io/v1beta2, kubeadm.k8s.io/v1beta3, kubeadm.k8s.io/v1beta4; did you mean kubeadm.k8s.io/v1beta4?',
    ),
  },
  {
    title: 'a kind that belongs to another version',
    ...file(good('').replace('JoinConfiguration', 'NodeConfiguration')),
    exitCode: 3,
    text: config('FOLDER/c.yaml:2:7: kubeadm.k8s.io/v1beta4 has no NodeConfiguration: it is JoinConfiguration there'),
  },
  {
    title: 'two configurations in one file',
    ...file(`${good('')}---\n${good('')}`),
    exitCode: 3,
    text: config('FOLDER/c.yaml:10:7: a second JoinConfiguration in one file'),
  },
  {
    title: 'fields that are unknown, duplicate or of the wrong type',
    ...file(good('nodeRegistratoin: {}\ncaCertPath: /a.crt\ncaCertPath: /b.crt\ndryRun: "yes"\n')),
    exitCode: 3,
    text: config(
      'FOLDER/c.yaml:8:1: unknown field nodeRegistratoin; did you mean nodeRegistration?',
      'FOLDER/c.yaml:10:1: the key caCertPath is duplicated',
      'FOLDER/c.yaml:11:9: dryRun must be a boolean: write true or false, without quotes',
    ),
  },
  {
    title: 'a configuration without discovery',
    ...file(HEAD),
    exitCode: 3,
    text: config(
      'FOLDER/c.yaml:1:1: discovery.bootstrapToken or discovery.file is missing: it decides which cluster to trust',
    ),
  },
  {
    title: 'a configuration with both ways of discovery',
    ...file(good('').replace('discovery:\n', 'discovery:\n  file: { kubeConfigPath: /a.conf }\n')),
    exitCode: 3,
    text: config('FOLDER/c.yaml:4:27: discovery.file and discovery.bootstrapToken cannot be combined'),
  },
  {
    title: 'a configuration with a token in capitals, no server and no pin',
    ...file(`${HEAD}discovery: { bootstrapToken: { token: ABCDEF.0123456789ABCDEF } }\n`),
    exitCode: 3,
    text: config(
      'FOLDER/c.yaml:3:30: discovery.bootstrapToken.apiServerEndpoint is missing',
      'FOLDER/c.yaml:3:30: the CA key must be pinned: discovery.bootstrapToken.caCertHashes (kubeadm token create --print-join-command prints it), or discovery.bootstrapToken.unsafeSkipCAVerification: true',
      'FOLDER/c.yaml:3:39: discovery.bootstrapToken.token has the wrong form: it must be 6 and 16 lower-case letters or digits, separated by a dot, as kubeadm token create prints it',
    ),
  },
  {
    title: 'invalid pins in a configuration',
    ...file(good('').replace('unsafeSkipCAVerification: true', 'caCertHashes: ["sha256:1", "md5:2"]')),
    exitCode: 3,
    text: config(
      'FOLDER/c.yaml:7:20: discovery.bootstrapToken.caCertHashes[0] has the wrong form "sha256:1": it must be sha256: and 64 hexadecimal digits',
      'FOLDER/c.yaml:7:32: discovery.bootstrapToken.caCertHashes[1] has the wrong form "md5:2": it must be sha256: and 64 hexadecimal digits',
    ),
  },
  {
    title: 'a discovery file from http, in a configuration',
    ...file(`${HEAD}discovery: { file: { kubeConfigPath: "http://10.0.0.1/a.conf" } }\n`),
    exitCode: 3,
    text: config(
      'FOLDER/c.yaml:3:38: discovery.file.kubeConfigPath must be a path or an https:// URL: other URLs do not prove the identity of the server',
    ),
  },
  {
    title: 'a relative CA path in a configuration',
    ...file(good('caCertPath: ca.crt\n')),
    exitCode: 3,
    text: config(
      'FOLDER/c.yaml:8:13: caCertPath has the wrong form "ca.crt": it must be an absolute path that ends in .crt',
    ),
  },
  {
    title: 'invalid timeouts in a configuration',
    ...file(good('timeouts: { discovery: 0s, tlsBootstrap: 300 }\n')),
    exitCode: 3,
    text: config(
      'FOLDER/c.yaml:8:24: timeouts.discovery must be more than 0s',
      'FOLDER/c.yaml:8:42: timeouts.tlsBootstrap must be a string: it must be a duration with its unit, such as 5m0s',
    ),
  },
  {
    title: 'a nodeRegistration with only invalid fields',
    ...file(
      good(
        'nodeRegistration:\n  name: Worker_1\n  criSocket: tcp://a\n  taints: [{ key: a, effect: Sometimes }]\n  kubeletExtraArgs: { v: "4" }\n  imagePullPolicy: Perhaps\n  ignorePreflightErrors: [all, Swap]\n',
      ),
    ),
    exitCode: 3,
    text: config(
      'FOLDER/c.yaml:9:9: nodeRegistration.name has the wrong form "worker_1": it must be a DNS name: lower-case letters, digits, - and .',
      'FOLDER/c.yaml:10:14: nodeRegistration.criSocket has the wrong form "tcp://a": it must be unix:// and an absolute path',
      'FOLDER/c.yaml:11:30: nodeRegistration.taints[0].effect must be one of NoSchedule, PreferNoSchedule, NoExecute',
      'FOLDER/c.yaml:12:21: nodeRegistration.kubeletExtraArgs must be an array: it must be a list of name and value (up to v1beta3 it was a mapping)',
      'FOLDER/c.yaml:13:20: nodeRegistration.imagePullPolicy must be one of Always, IfNotPresent, Never',
      'FOLDER/c.yaml:14:26: nodeRegistration.ignorePreflightErrors contains all, which means every check: remove the other names',
    ),
  },
  {
    title: 'a certificate key of the wrong form in a configuration',
    ...file(good('controlPlane: { certificateKey: xyz, localAPIEndpoint: { advertiseAddress: cp2 } }\n')),
    exitCode: 3,
    text: config(
      'FOLDER/c.yaml:8:33: controlPlane.certificateKey must be 64 hexadecimal digits, as kubeadm init phase upload-certs --upload-certs prints them',
      'FOLDER/c.yaml:8:76: controlPlane.localAPIEndpoint.advertiseAddress must be an IP address',
    ),
  },
  {
    title: 'a control plane in a configuration, and a pipeline for workers',
    ...beside(good('controlPlane: {}\n'), '--pipeline', 'join-worker'),
    exitCode: 2,
    text: input(
      'controlPlane in FOLDER/c.yaml does not fit the pipeline join-worker, which joins a worker: use --pipeline join-control-plane, or a pipeline that extends it',
    ),
  },
  {
    title: 'a configuration beside trust flags',
    ...beside(good(''), ...JOIN, '--feature-gates', 'CoreDNS=true'),
    exitCode: 2,
    text: input(
      '--config cannot be combined with --discovery-token-ca-cert-hash, --feature-gates, --token: use the fields of the file instead',
    ),
  },
  {
    title: 'an invalid configuration beside a token',
    ...beside(`${HEAD}nope: 1\n`, '--token', TOKEN),
    exitCode: 2,
    text: input(
      '--config cannot be combined with --token: use the fields of the file instead',
      'FOLDER/c.yaml:1:1: discovery.bootstrapToken or discovery.file is missing: it decides which cluster to trust',
      'FOLDER/c.yaml:3:1: unknown field nope',
    ),
  },
  {
    title: 'a configuration beside a token in a variable',
    ...beside(good('')),
    variables: { JOINERY_TOKEN: TOKEN },
    exitCode: 2,
    text: input('--config cannot be combined with JOINERY_TOKEN: use the fields of the file instead'),
  },
  {
    title: 'a configuration with another name of the Node',
    ...beside(
      good('nodeRegistration: { kubeletExtraArgs: [{ name: hostname-override, value: w2 }] }\n'),
      '--node-name',
      'w3',
    ),
    exitCode: 2,
    text: input('--node-name w3 contradicts hostname-override in the file, which is w2 and wins'),
  },
  {
    title: 'all checks ignored by a flag, and one by the configuration',
    ...beside(good('nodeRegistration: { ignorePreflightErrors: [Swap] }\n'), '--ignore-preflight-errors', 'all'),
    exitCode: 2,
    text: input(
      "--ignore-preflight-errors and the file combine 'all' with single checks: name either all or single checks",
    ),
  },
  {
    title: 'an unknown gate and an unknown phase in a configuration',
    ...file(
      `apiVersion: kubeadm.k8s.io/v1alpha1\nkind: NodeConfiguration\ntoken: ${TOKEN}\ndiscoveryTokenAPIServers: ["10.0.0.1:6443"]\ndiscoveryTokenUnsafeSkipCAVerification: true\nfeatureGates: { CoreDSN: true }\n`,
    ),
    exitCode: 2,
    text: input('FOLDER/c.yaml:6:15: featureGates: unknown gate CoreDSN; did you mean CoreDNS?'),
  },
  {
    title: 'unknown phases in a configuration',
    ...file(good('skipPhases: [preflihgt]\n')),
    exitCode: 2,
    text: input('FOLDER/c.yaml:8:13: skipPhases: there is no phase preflihgt; did you mean preflight?'),
  },
  {
    title: 'a kubelet argument with dashes',
    ...file(good('nodeRegistration:\n  kubeletExtraArgs:\n    - { name: --v, value: "4" }\n')),
    exitCode: 3,
    text: config(
      'FOLDER/c.yaml:10:15: nodeRegistration.kubeletExtraArgs: a name must be an argument without its dashes',
    ),
  },
  {
    title: 'a configuration and a token that both read standard input',
    args: ['--config', '-', '--token', '-'],
    exitCode: 2,
    text: input('only one of --config and --token can read standard input'),
  },
];

const clusterOf = (cluster: string): string =>
  `apiVersion: v1\nkind: Config\nclusters:\n- name: ""\n  cluster: ${cluster}\n`;
const discovery = (text: string) => ({
  args: ['--discovery-file', '/given/d.conf', '--token', TOKEN],
  files: { 'd.conf': text },
});

export const wrongDiscoveryFiles: WrongInput[] = [
  {
    title: 'a missing discovery file',
    args: ['--discovery-file', '/none.conf', '--token', TOKEN],
    exitCode: 12,
    text: [
      'E_DISCOVERY_FILE in step discovery: cannot use the discovery file /none.conf: the file does not exist',
      '  → To get one from the cluster, run: kubectl -n kube-public get configmap cluster-info -o jsonpath={.data.kubeconfig}',
    ].join('\n'),
  },
  {
    title: 'a discovery file that is not YAML',
    ...discovery('a: [1\n'),
    exitCode: 12,
    text: [
      'E_DISCOVERY_FILE in step discovery: cannot use the discovery file /given/d.conf: line 2: the indentation does not match the lines above, or a bracket above is not closed',
      '  → To get one from the cluster, run: kubectl -n kube-public get configmap cluster-info -o jsonpath={.data.kubeconfig}',
    ].join('\n'),
  },
  {
    title: 'a discovery file without a cluster',
    ...discovery('apiVersion: v1\nkind: Config\nclusters: []\n'),
    exitCode: 12,
    text: [
      'E_DISCOVERY_FILE in step discovery: cannot use the discovery file /given/d.conf: it has neither a cluster without a name nor a current context with a cluster',
      '  → To get one from the cluster, run: kubectl -n kube-public get configmap cluster-info -o jsonpath={.data.kubeconfig}',
    ].join('\n'),
  },
  {
    title: 'a discovery file with an http server',
    ...discovery(clusterOf('{ server: "http://10.0.0.1:6443" }')),
    exitCode: 12,
    text: [
      'E_DISCOVERY_FILE in step discovery: cannot use the discovery file /given/d.conf: its server http://10.0.0.1:6443 is not https://host:port',
      '  → To get one from the cluster, run: kubectl -n kube-public get configmap cluster-info -o jsonpath={.data.kubeconfig}',
    ].join('\n'),
  },
  {
    title: 'a discovery file that turns verification off',
    ...discovery(clusterOf('{ server: "https://10.0.0.1:6443", insecure-skip-tls-verify: true }')),
    exitCode: 12,
    text: [
      'E_DISCOVERY_FILE in step discovery: cannot use the discovery file /given/d.conf: it sets insecure-skip-tls-verify, so any server could pose as the cluster',
      '  → To get one from the cluster, run: kubectl -n kube-public get configmap cluster-info -o jsonpath={.data.kubeconfig}',
    ].join('\n'),
  },
  {
    title: 'a discovery file with an invalid CA',
    ...discovery(clusterOf('{ server: "https://10.0.0.1:6443", certificate-authority-data: aGVsbG8= }')),
    exitCode: 12,
    text: [
      'E_DISCOVERY_FILE in step discovery: cannot use the discovery file /given/d.conf: its CA data contains no certificate',
      '  → To get one from the cluster, run: kubectl -n kube-public get configmap cluster-info -o jsonpath={.data.kubeconfig}',
    ].join('\n'),
  },
];
