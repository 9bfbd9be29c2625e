import { describe, expect, test } from 'vitest';
import { loadJoinConfiguration, mixConfigAndFlags } from '../../../engine/kubeadm/index.ts';
import { revealed } from '../../../engine/sdk/index.ts';
import { shownOf } from '../../helpers/errors.ts';
import { BOOTSTRAP_TOKEN, DISCOVERY_TOKEN, examples, PIN, SECRET } from '../../helpers/kubeadm.ts';

const settings = (text: string) => loadJoinConfiguration('c.yaml', text).settings;
const mixed = (typed: Record<string, unknown>, text = examples.v1beta3) => mixConfigAndFlags(settings(text), typed);

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
  taints: [
    { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' },
    { key: 'new', effect: 'NoExecute' },
  ],
  kubeletExtraArgs: [
    { name: 'node-labels', value: 'a=b,c=d' },
    { name: 'v', value: '4' },
  ],
  timeouts: { discoveryMs: 90_000 },
  ignorePreflightErrors: ['Swap', 'NumCPU'],
};
const FILE =
  'apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\ndiscovery: { file: { kubeConfigPath: /a.conf } }\n';

describe('a configuration file and flags', () => {
  test('without flags it is the file, by the names of inputs', () => {
    const result = mixed({});
    expect(revealed(result)).toEqual({
      inputs: fromFile,
      dryRun: false,
      skipPhases: ['preflight'],
      problems: [],
      warnings: [],
    });
    expect(shownOf(result)).not.toContain(SECRET);
  });

  test('what the file leaves out is left out, so that defaults hold', () => {
    expect(mixed({}, FILE)).toEqual({
      inputs: { discoveryFile: '/a.conf' },
      dryRun: false,
      skipPhases: [],
      problems: [],
      warnings: [],
    });
  });

  test('the gates of old versions are handed on', () => {
    expect(mixed({}, examples.v1alpha1).inputs.featureGates).toBe('DynamicKubeletConfig=true');
  });

  test.each<[string, object, object]>([
    ['nodeName wins', { nodeName: 'w2' }, { nodeName: 'w2' }],
    ['criSocket wins', { criSocket: 'unix:///x' }, { criSocket: 'unix:///x' }],
    ['patches win', { patches: '/p' }, { patches: '/p' }],
    [
      'checks are added',
      { ignorePreflightErrors: ['Mem', 'Swap'] },
      { ignorePreflightErrors: ['Swap', 'NumCPU', 'Mem'] },
    ],
    ["a pipeline's own input is taken", { wait: 'ready' }, { wait: 'ready' }],
    ['the endpoint of the file, typed again, is nothing new', { endpoint: '10.0.0.1:6443' }, {}],
  ])('%s', (_, typed, inputs) => {
    const result = mixed({ ...typed });
    expect(revealed(result.inputs)).toEqual({ ...fromFile, ...inputs });
    expect([...result.problems, ...result.warnings]).toEqual([]);
  });

  test('skipPhases wins, and one of both is enough for a dry run', () => {
    expect(mixed({ skipPhases: ['discovery'], dryRun: true })).toMatchObject({
      skipPhases: ['discovery'],
      dryRun: true,
    });
    expect(mixed({}, examples.v1beta4).dryRun).toBe(true);
    expect(mixed({ dryRun: false }, examples.v1beta4).dryRun).toBe(true);
    expect(mixed({ skipPhases: ['a'], dryRun: true }).inputs).not.toHaveProperty('dryRun');
  });

  test('what decides whom to trust is refused, all of it at once', () => {
    const typed = {
      token: DISCOVERY_TOKEN,
      discoveryToken: DISCOVERY_TOKEN,
      discoveryFile: '/a',
      discoveryTokenCaCertHash: [PIN],
      discoveryTokenUnsafeSkipCaVerification: true,
      tlsBootstrapToken: DISCOVERY_TOKEN,
      featureGates: 'CoreDNS=true',
      controlPlane: true,
      apiserverAdvertiseAddress: '1.2.3.4',
      apiserverBindPort: 6443,
      certificateKey: SECRET,
      nodeName: 'w2',
    };
    const { problems } = mixed(typed);
    expect(problems).toEqual([
      '--config cannot stand beside --apiserver-advertise-address, --apiserver-bind-port, --certificate-key, --control-plane, --discovery-file, --discovery-token, --discovery-token-ca-cert-hash, --discovery-token-unsafe-skip-ca-verification, --feature-gates, --tls-bootstrap-token, --token: the file decides that',
    ]);
  });

  test.each<[string, Record<string, unknown>, string, string]>([
    [
      'a name that the kubelet is told otherwise',
      { nodeName: 'w2' },
      examples.v1beta3.replace('v: "4"', 'hostname-override: w3'),
      '--node-name w2 is not the w3 that hostname-override in the file wins with',
    ],
    [
      'all here and single checks there',
      { ignorePreflightErrors: ['ALL'] },
      examples.v1beta3,
      '--ignore-preflight-errors and the file together say all and single checks: give only one of the two',
    ],
  ])('%s is refused', (_, typed, text, problem) => {
    expect(mixed(typed, text).problems).toEqual([problem]);
  });

  test('the same name, or all in both, is no contradiction', () => {
    expect(mixed({ nodeName: 'w3' }, examples.v1beta3.replace('v: "4"', 'hostname-override: w3')).problems).toEqual([]);
    const all = examples.v1beta3.replace('[Swap, NumCPU]', '[all]');
    expect(mixed({ ignorePreflightErrors: ['all'] }, all)).toMatchObject({
      problems: [],
      inputs: { ignorePreflightErrors: ['all'] },
    });
  });

  test.each<[string, Record<string, unknown>, string, string]>([
    ['another endpoint', { endpoint: 'b:1' }, examples.v1beta3, 'b:1 is not asked: the file says 10.0.0.1:6443'],
    ['an endpoint beside a file', { endpoint: 'b:1' }, FILE, 'b:1 is not asked: the file says a discovery file'],
    [
      'several API servers',
      {},
      examples.v1alpha1.replace('[10.0.0.1:6443]', '[a:1, b:1]'),
      'of the 2 API servers in the file only a:1 is asked',
    ],
  ])('%s is warned of', (_, typed, text, warning) => {
    expect(mixed(typed, text)).toMatchObject({ problems: [], warnings: [warning] });
  });
});
