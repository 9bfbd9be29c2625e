/** Flags and variables that are invalid by themselves or in combination. */
import { input, JOIN, usage, type WrongInput } from './wrong.ts';

const TOKEN = 'abcdef.0123456789abcdef';
const with_ = (...more: string[]): string[] => [...JOIN, ...more];
const tokenOf = (token: string): string[] => ['ENDPOINT', '--token', token, '--discovery-token-ca-cert-hash', 'PIN'];
const endpointOf = (endpoint: string): string[] => [endpoint, ...JOIN.slice(1)];

export const wrongArguments: WrongInput[] = [
  { title: 'a missing endpoint', args: JOIN.slice(1), exitCode: 2, text: input('--endpoint is missing') },
  {
    title: 'an endpoint without a port',
    args: endpointOf('10.0.0.1'),
    exitCode: 2,
    text: input('--endpoint has the wrong form "10.0.0.1": it must be host:port, with a port from 1 to 65535'),
  },
  {
    title: 'an endpoint that is a URL',
    args: endpointOf('https://10.0.0.1:6443'),
    exitCode: 2,
    text: input(
      '--endpoint has the wrong form "https://10.0.0.1:6443": it must be host:port, with a port from 1 to 65535',
    ),
  },
  {
    title: 'an IPv6 endpoint without brackets',
    args: endpointOf('fe80::1:6443'),
    exitCode: 2,
    text: input('--endpoint has the wrong form "fe80::1:6443": it must be host:port, with a port from 1 to 65535'),
  },
  {
    title: 'a port that does not exist',
    args: endpointOf('10.0.0.1:99999'),
    exitCode: 2,
    text: input('--endpoint has the wrong form "10.0.0.1:99999": it must be host:port, with a port from 1 to 65535'),
  },
  {
    title: 'two endpoints',
    args: ['10.0.0.1:6443', ...JOIN],
    exitCode: 2,
    text: usage('unexpected argument ENDPOINT'),
  },
  {
    title: 'a name of the Node that ends with a hyphen',
    args: with_('--node-name', 'Worker1-'),
    exitCode: 2,
    text: input(
      '--node-name has the wrong form "worker1-": it must be a DNS name: lower-case letters, digits, - and .',
    ),
  },
  {
    title: 'a name of the Node with an underscore',
    args: with_('--node-name', 'worker_1'),
    exitCode: 2,
    text: input(
      '--node-name has the wrong form "worker_1": it must be a DNS name: lower-case letters, digits, - and .',
    ),
  },
  {
    title: 'a name of the Node that is too long',
    args: with_('--node-name', 'a'.repeat(254)),
    exitCode: 2,
    text: input('--node-name must have at most 253 characters'),
  },
  {
    title: 'a socket that is not a path',
    args: with_('--cri-socket', 'tcp://10.0.0.1:1'),
    exitCode: 2,
    text: input('--cri-socket has the wrong form "tcp://10.0.0.1:1": it must be unix:// and an absolute path'),
  },
  {
    title: 'a feature gate that does not exist',
    args: with_('--feature-gates', 'CoreDSN=true,Nope=true'),
    exitCode: 2,
    text: input(
      '--feature-gates: unknown gate CoreDSN; did you mean CoreDNS?',
      '--feature-gates: unknown gate Nope; known gates: Auditing, CoreDNS, DynamicKubeletConfig, HighAvailability, NodeLocalCRISocket, PublicKeysECDSA, RootlessControlPlane, SelfHosting, StoreCertsInSecrets, SupportIPVSProxyMode',
    ),
  },
  {
    title: 'a gate without a value, and one with an invalid value',
    args: with_('--feature-gates', 'CoreDNS,SelfHosting=maybe'),
    exitCode: 2,
    text: input(
      '--feature-gates: CoreDNS has no value: write CoreDNS=true or CoreDNS=false',
      '--feature-gates: SelfHosting=maybe is neither true nor false',
    ),
  },
  {
    title: 'checks to ignore together with all of them',
    args: with_('--ignore-preflight-errors', 'all,Swap'),
    exitCode: 2,
    text: `E_PREFLIGHT_IGNORE in step preflight: 'all' ignores every check, so it cannot be combined with other names
  → Use --ignore-preflight-errors=all, or list only the names.\n
E_API_UNREACHABLE in step discovery: https://ENDPOINT does not answer: nothing listens there (ECONNREFUSED ENDPOINT)
  → Check the address, the firewall and the control plane. To test the connection: curl -k https://ENDPOINT/healthz`,
  },
  {
    title: 'a flag that does not exist',
    args: with_('--tokn', 'x', '--wibble'),
    exitCode: 2,
    text: usage('unknown flag --tokn; did you mean --token?', 'unknown flag --wibble'),
  },
  {
    title: 'a flag of kubeadm with underscores, which kubeadm does not take either',
    args: with_('--node_name', 'w1'),
    exitCode: 2,
    text: usage('unknown flag --node_name; did you mean --node-name?'),
  },
  {
    title: 'a flag with one dash',
    args: ['ENDPOINT', '-token=TOKEN'],
    exitCode: 2,
    text: usage('unknown flag -token=ID.***'),
  },
  {
    title: 'a flag without its value',
    args: ['ENDPOINT', '--token'],
    exitCode: 2,
    text: usage('--token needs a value'),
  },
  {
    title: 'a switch that is neither on nor off',
    args: with_('--dry-run=maybe'),
    exitCode: 2,
    text: ['E_USAGE: --dry-run=maybe must be true or false', '  → Write --dry-run, or omit it.'].join('\n'),
  },
  {
    title: 'a verbosity that is not a number',
    args: with_('-v=x'),
    exitCode: 2,
    text: usage('--v: it must be a whole number, not x'),
  },
  {
    title: 'an unknown value of --wait',
    args: with_('--wait', 'soon'),
    exitCode: 2,
    text: input('--wait must be one of started, registered, ready'),
  },
  {
    title: 'an unknown output format',
    args: with_('--output', 'xml'),
    exitCode: 2,
    text: usage('Expected --output=xml to be one of: text, json, yaml, jsonl'),
  },
  {
    title: 'times that are not durations',
    args: with_('--discovery-timeout', 'soon', '--tls-bootstrap-timeout', '0s'),
    exitCode: 2,
    text: input(
      '--discovery-timeout must be a duration such as 30s or 5m',
      '--tls-bootstrap-timeout must be a duration such as 30s or 5m',
    ),
  },
  {
    title: 'phases that do not exist',
    args: with_('--skip-phases', 'preflihgt,wibble'),
    exitCode: 2,
    text: input(
      '--skip-phases: there is no phase preflihgt; did you mean preflight?',
      '--skip-phases: there is no phase wibble; the steps are preflight, discovery, kubelet-version, cluster-config, preflight-cluster, tls-bootstrap, kubeconfig, kubelet-config, kubelet-start, kubelet-wait-bootstrap, node-ready, dynamic-kubelet-config',
    ),
  },
  {
    title: 'a skipped phase whose outputs other steps read',
    args: with_('--skip-phases', 'discovery'),
    exitCode: 2,
    text: input(
      '--skip-phases: step cluster-config reads identity of discovery, which is skipped: skip both or neither',
      '--skip-phases: step preflight-cluster reads identity of discovery, which is skipped: skip both or neither',
      '--skip-phases: step tls-bootstrap reads identity of discovery, which is skipped: skip both or neither',
      '--skip-phases: step kubeconfig reads server, ca of discovery, which is skipped: skip both or neither',
      '--skip-phases: step kubelet-config reads ca of discovery, which is skipped: skip both or neither',
      '--skip-phases: step node-ready reads server, ca of discovery, which is skipped: skip both or neither',
      '--skip-phases: step dynamic-kubelet-config reads server, ca of discovery, which is skipped: skip both or neither',
    ),
  },
  {
    title: 'a token in a missing file',
    args: tokenOf('@FOLDER/none'),
    exitCode: 2,
    text: input('--token @FOLDER/none: does not exist'),
  },
  {
    title: 'two tokens from standard input',
    args: ['ENDPOINT', '--discovery-token', '-', '--tls-bootstrap-token', '-'],
    exitCode: 2,
    text: input('only one of --discovery-token and --tls-bootstrap-token can read standard input'),
  },
  {
    title: 'a missing pipeline',
    args: with_('--pipeline', 'FOLDER/none.yaml'),
    exitCode: 3,
    text: [
      'E_PIPELINE_FILE: cannot read the pipeline FOLDER/none.yaml: does not exist',
      '  → Check the path, or omit --pipeline to use the built-in pipeline.',
    ].join('\n'),
  },
  {
    title: 'a discovery file beside a token for discovery, and beside a pin',
    args: ['--discovery-file', 'FOLDER/a.conf', '--discovery-token', TOKEN, '--discovery-token-ca-cert-hash', 'PIN'],
    exitCode: 2,
    text: input(
      '--discovery-file and --discovery-token cannot be combined: pass one of them',
      '--discovery-token-ca-cert-hash is for discovery by token: a --discovery-file has its own CA',
    ),
  },
  {
    title: 'a discovery file from http',
    args: ['--discovery-file', 'http://10.0.0.1/a.conf'],
    exitCode: 2,
    text: input(
      '--discovery-file has the wrong form "http://10.0.0.1/a.conf": it must be a path, a file:/// or an https:// address',
    ),
  },
  {
    title: 'invalid variables',
    args: ['ENDPOINT'],
    variables: {
      JOINERY_TOKEN: 'nope',
      JOINERY_NODE_NAME: 'U_P',
      JOINERY_DISCOVERY_TOKEN_UNSAFE_SKIP_CA_VERIFICATION: 'yes',
      JOINERY_DISCOVERY_TOKEN_CA_CERT_HASH: 'sha256:1, md5:2',
    },
    exitCode: 2,
    text: input(
      'JOINERY_DISCOVERY_TOKEN_UNSAFE_SKIP_CA_VERIFICATION must be true or false',
      'JOINERY_NODE_NAME has the wrong form "u_p": it must be a DNS name: lower-case letters, digits, - and .',
      'JOINERY_TOKEN has the wrong form: it must be 6 and 16 lower-case letters or digits, separated by a dot, as kubeadm token create prints it',
      'JOINERY_DISCOVERY_TOKEN_CA_CERT_HASH has the wrong form "sha256:1": it must be sha256: and 64 hexadecimal digits',
      'JOINERY_DISCOVERY_TOKEN_CA_CERT_HASH has the wrong form "md5:2": it must be sha256: and 64 hexadecimal digits',
    ),
  },
  {
    title: 'an invalid variable and an invalid flag',
    args: ['ENDPOINT', '--node-name', 'U_P', '--discovery-token-ca-cert-hash', 'PIN'],
    variables: { JOINERY_TOKEN: 'nope' },
    exitCode: 2,
    text: input(
      '--node-name has the wrong form "u_p": it must be a DNS name: lower-case letters, digits, - and .',
      'JOINERY_TOKEN has the wrong form: it must be 6 and 16 lower-case letters or digits, separated by a dot, as kubeadm token create prints it',
    ),
  },
  {
    title: 'a variable that names a missing file',
    args: ['ENDPOINT'],
    variables: { JOINERY_TOKEN: '@FOLDER/none' },
    exitCode: 2,
    text: input('JOINERY_TOKEN @FOLDER/none: does not exist'),
  },
  {
    title: 'eight invalid flags at once',
    args: [
      '10.0.0.1',
      '--token',
      'x',
      '--discovery-token-ca-cert-hash',
      'y',
      '--node-name',
      'Z_',
      '--cri-socket',
      'tcp:x',
      '--feature-gates',
      'Q',
      '--skip-phases',
      'r',
      '--discovery-timeout',
      's',
    ],
    exitCode: 2,
    text: input(
      '--feature-gates: unknown gate Q; known gates: Auditing, CoreDNS, DynamicKubeletConfig, HighAvailability, NodeLocalCRISocket, PublicKeysECDSA, RootlessControlPlane, SelfHosting, StoreCertsInSecrets, SupportIPVSProxyMode',
      '--skip-phases: there is no phase r; the steps are preflight, discovery, kubelet-version, cluster-config, preflight-cluster, tls-bootstrap, kubeconfig, kubelet-config, kubelet-start, kubelet-wait-bootstrap, node-ready, dynamic-kubelet-config',
      '--discovery-timeout must be a duration such as 30s or 5m',
      '--node-name has the wrong form "z_": it must be a DNS name: lower-case letters, digits, - and .',
      '--cri-socket has the wrong form "tcp:x": it must be unix:// and an absolute path',
      '--endpoint has the wrong form "10.0.0.1": it must be host:port, with a port from 1 to 65535',
      '--token has the wrong form: it must be 6 and 16 lower-case letters or digits, separated by a dot, as kubeadm token create prints it',
      '--discovery-token-ca-cert-hash has the wrong form "y": it must be sha256: and 64 hexadecimal digits',
    ),
  },
];
