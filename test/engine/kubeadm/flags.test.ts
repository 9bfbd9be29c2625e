import { describe, expect, test } from 'vitest';
import { type Configured, loadJoinConfiguration, mixConfigAndFlags } from '../../../engine/kubeadm/index.ts';
import { revealSecrets } from '../../../engine/sdk/index.ts';
import { printedForms } from '../../helpers/errors.ts';
import { BOOTSTRAP_TOKEN, DISCOVERY_TOKEN, examples, PIN, SECRET } from '../../helpers/kubeadm.ts';

const flag = (input: string) => `--${input}`;
const mixed = (typed: Record<string, unknown>, text = examples.v1beta3) =>
  mixConfigAndFlags(loadJoinConfiguration('c.yaml', text), typed, flag);
const valuesOf = ({ configured }: { configured: Record<string, Configured> }) =>
  revealSecrets(Object.fromEntries(Object.entries(configured).map(([name, { value }]) => [name, value])));

const fromFile = {
  endpoint: '10.0.0.1:6443',
  discoveryToken: DISCOVERY_TOKEN,
  discoveryTokenCaCertHash: [PIN],
  discoveryTokenUnsafeSkipCaVerification: true,
  tlsBootstrapToken: BOOTSTRAP_TOKEN,
  nodeName: 'w1',
  criSocket: 'unix:///run/containerd/containerd.sock',
  caCertPath: '/etc/pki/ca.crt',
  patches: '/patches',
  skipPhases: ['preflight'],
  taints: [
    { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' },
    { key: 'new', effect: 'NoExecute' },
  ],
  kubeletExtraArgs: [
    { name: 'node-labels', value: 'a=b,c=d' },
    { name: 'v', value: '4' },
  ],
  discoveryTimeout: '90s',
  ignorePreflightErrors: ['Swap', 'NumCPU'],
};
const FILE =
  'apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\ndiscovery: { file: { kubeConfigPath: /a.conf } }\n';

describe('a configuration file and flags', () => {
  test('without flags, the inputs have the values of the configuration file', () => {
    const result = mixed({});
    expect(valuesOf(result)).toEqual(fromFile);
    expect(result).toMatchObject({
      typed: {},
      dryRun: false,
      problems: [],
      notes: ['c.yaml: nodeRegistration.imagePullPolicy: no effect on a worker'],
    });
    expect(printedForms(result)).not.toContain(SECRET);
  });

  test('each value has its place in the configuration file', () => {
    const { configured } = mixed({}, examples.v1alpha1);
    expect(configured.nodeName?.place).toEqual({ file: 'c.yaml', line: 12, column: 11, field: 'nodeName' });
    const { configured: newer } = mixed({}, examples.v1beta3);
    expect(newer.nodeName?.place).toEqual({ file: 'c.yaml', line: 13, column: 9, field: 'nodeRegistration.name' });
    expect(newer.taints?.place.field).toBe('nodeRegistration.taints');
  });

  test('a token that stands for both tokens has its own place', () => {
    const text = `apiVersion: kubeadm.k8s.io/v1alpha1
kind: NodeConfiguration
token: ${DISCOVERY_TOKEN}
discoveryTokenAPIServers: ["a:1"]
discoveryTokenUnsafeSkipCAVerification: true
`;
    const { configured } = mixed({}, text);
    for (const name of ['discoveryToken', 'tlsBootstrapToken'])
      expect(configured[name]?.place).toEqual({ file: 'c.yaml', line: 3, column: 8, field: 'token' });
  });

  test('fields that the file omits are omitted, so that defaults apply', () => {
    const result = mixed({}, FILE);
    expect(valuesOf(result)).toEqual({ discoveryFile: '/a.conf' });
    expect(result).toMatchObject({ typed: {}, dryRun: false, problems: [], notes: [] });
  });

  test('feature gates of old versions are passed on', () => {
    expect(mixed({}, examples.v1alpha1).configured.featureGates?.value).toBe('DynamicKubeletConfig=true');
  });

  test('time limits are passed on, except those of a control plane', () => {
    const { configured, notes } = mixed({}, examples.v1beta4);
    expect(valuesOf({ configured })).toMatchObject({
      discoveryTimeout: '90s',
      tlsBootstrapTimeout: '90s',
      kubeletHealthCheckTimeout: '3600s',
    });
    expect(notes).toEqual([
      'c.yaml: nodeRegistration.imagePullPolicy, nodeRegistration.imagePullSerial, timeouts.upgradeManifests, timeouts.controlPlaneComponentHealthCheck, timeouts.etcdAPICall, timeouts.kubernetesAPICall: no effect on a worker',
    ]);
    expect(mixed({}, examples.v1beta4.replace('1.5m', '1500us')).configured.tlsBootstrapTimeout?.value).toBe('2ms');
  });

  test('the fields of a control plane become inputs, and only those of images and upgrades have no effect', () => {
    const key = 'ab'.repeat(32);
    const text =
      `${examples.v1beta4}controlPlane:\n  localAPIEndpoint: { advertiseAddress: 1.2.3.4, bindPort: 443 }\n` +
      `  certificateKey: ${key}\n`;
    const { configured, notes } = mixed({}, text);
    expect(valuesOf({ configured })).toMatchObject({
      certificateKey: key,
      apiserverAdvertiseAddress: '1.2.3.4',
      apiserverBindPort: 443,
      controlPlaneComponentHealthCheckTimeout: '240s',
      etcdApiCallTimeout: '120s',
      kubernetesApiCallTimeout: '500ms',
    });
    expect(notes).toEqual([
      'c.yaml: nodeRegistration.imagePullPolicy, nodeRegistration.imagePullSerial, timeouts.upgradeManifests: no effect on a control plane',
    ]);
  });

  test.each<[string, Record<string, unknown>, object]>([
    ['nodeName wins', { nodeName: 'w2' }, { nodeName: 'w2' }],
    ['criSocket wins', { criSocket: 'unix:///x' }, { criSocket: 'unix:///x' }],
    ['patches win', { patches: '/p' }, { patches: '/p' }],
    ['skipPhases wins', { skipPhases: ['discovery'] }, { skipPhases: ['discovery'] }],
    [
      'checks are added',
      { ignorePreflightErrors: ['Mem', 'Swap'] },
      { ignorePreflightErrors: ['Swap', 'NumCPU', 'Mem'] },
    ],
    ["a pipeline's own input is taken", { wait: 'ready' }, { wait: 'ready' }],
    ['the endpoint of the file, typed again, is nothing new', { endpoint: '10.0.0.1:6443' }, {}],
  ])('a configuration file and flags are merged: %s', (_, flags, typed) => {
    const result = mixed(flags);
    expect(result.typed).toEqual(typed);
    expect(valuesOf(result)).toEqual(fromFile);
    expect(result.problems).toEqual([]);
    expect(result.notes).toHaveLength(1);
  });

  test('the configuration file may request a dry run', () => {
    expect(mixed({}, examples.v1beta4).dryRun).toBe(true);
  });

  test('flags that decide whom to trust are refused beside a configuration file, all at once', () => {
    const typed = {
      token: DISCOVERY_TOKEN,
      discoveryToken: DISCOVERY_TOKEN,
      discoveryFile: '/a',
      discoveryTokenCaCertHash: [PIN],
      discoveryTokenUnsafeSkipCaVerification: true,
      tlsBootstrapToken: DISCOVERY_TOKEN,
      featureGates: 'CoreDNS=true',
      nodeName: 'w2',
    };
    expect(mixed(typed).problems).toEqual([
      '--config cannot be combined with --discoveryFile, --discoveryToken, --discoveryTokenCaCertHash, --discoveryTokenUnsafeSkipCaVerification, --featureGates, --tlsBootstrapToken, --token: use the fields of the file instead',
    ]);
  });

  test.each<[string, Record<string, unknown>, string, string]>([
    [
      'a name that contradicts the hostname-override of the kubelet',
      { nodeName: 'w2' },
      examples.v1beta3.replace('v: "4"', 'hostname-override: w3'),
      '--nodeName w2 contradicts hostname-override in the file, which is w3 and wins',
    ],
    [
      'all here and single checks there',
      { ignorePreflightErrors: ['ALL'] },
      examples.v1beta3,
      "--ignorePreflightErrors and the file combine 'all' with single checks: name either all or single checks",
    ],
  ])('the combination of flags and file is refused: %s', (_, typed, text, problem) => {
    expect(mixed(typed, text).problems).toEqual([problem]);
  });

  test('the same node name, or all in both places, is not a contradiction', () => {
    expect(mixed({ nodeName: 'w3' }, examples.v1beta3.replace('v: "4"', 'hostname-override: w3')).problems).toEqual([]);
    const all = examples.v1beta3.replace('[Swap, NumCPU]', '[all]');
    expect(mixed({ ignorePreflightErrors: ['all'] }, all)).toMatchObject({
      problems: [],
      typed: { ignorePreflightErrors: ['all'] },
    });
  });

  test.each<[string, Record<string, unknown>, string, string]>([
    ['another endpoint', { endpoint: 'b:1' }, examples.v1beta3, 'b:1 is ignored: the file has 10.0.0.1:6443'],
    ['an endpoint beside a file', { endpoint: 'b:1' }, FILE, 'b:1 is ignored: the file has a discovery file'],
    [
      'several API servers',
      {},
      examples.v1alpha1.replace('[10.0.0.1:6443]', '[a:1, b:1]'),
      'only a:1, the first of the 2 API servers in the file, is used',
    ],
    ['an unknown field in lenient mode', {}, `${FILE}nope: 1\n`, 'c.yaml:4:1: unknown field nope'],
  ])('the combination of flags and file causes a note: %s', (_, typed, text, note) => {
    const configuration = loadJoinConfiguration('c.yaml', text, { lenient: true });
    const { problems, notes } = mixConfigAndFlags(configuration, typed, flag);
    expect(problems).toEqual([]);
    expect(notes).toContain(note);
  });
});
