import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { apiVersionOf, type Version } from '../../../engine/kubeadm/versions.ts';
import { joinErrorOf, printedForms } from '../../helpers/errors.ts';
import { DISCOVERY_TOKEN, examples, PIN, SECRET } from '../../helpers/kubeadm.ts';
import { changesOf, meaning, meaningLeft, migrate } from './migration.ts';

const FROM_CLUSTER = [
  'clusterName is lost: kubeadm reads it from the cluster',
  'featureGates is lost: kubeadm reads them from the cluster',
];
const socketOf = (place: string) => `${place} is changed: unix:// was added, because kubeadm only accepts URLs`;

const LOCAL = { localAPIEndpoint: { advertiseAddress: '1.2.3.4', bindPort: 6443 } };

describe('a migration', () => {
  test.each<[Version, string[]]>([
    ['v1alpha1', [socketOf('criSocket'), ...FROM_CLUSTER]],
    ['v1alpha2', [socketOf('nodeRegistration.criSocket'), ...FROM_CLUSTER]],
    [
      'v1alpha3',
      [
        socketOf('nodeRegistration.criSocket'),
        ...FROM_CLUSTER,
        'apiEndpoint is lost: only a control-plane node has one',
      ],
    ],
    ['v1beta1', [socketOf('nodeRegistration.criSocket')]],
    ['v1beta2', [socketOf('nodeRegistration.criSocket')]],
    ['v1beta3', [socketOf('nodeRegistration.criSocket')]],
    ['v1beta4', [socketOf('nodeRegistration.criSocket')]],
  ])('the migration of %s keeps its meaning, and reports what is lost', (version, changes) => {
    const migration = migrate(examples[version]);
    expect(migration.from).toBe(apiVersionOf(version));
    expect(changesOf(migration)).toEqual(changes);
    const text = migration.text.reveal();
    expect(parse(text)).toMatchObject({ apiVersion: 'kubeadm.k8s.io/v1beta4', kind: 'JoinConfiguration' });
    expect(meaning(text)).toEqual(meaningLeft(examples[version], migration));
    expect(printedForms(migration)).not.toContain(SECRET);
  });

  test('a migration of its own result changes nothing', () => {
    const once = migrate(examples.v1beta4).text.reveal();
    expect(migrate(once).text.reveal()).toBe(once);
    expect(changesOf(migrate(once))).toEqual([]);
  });

  test('a configuration file of 2017 is migrated to the current version', () => {
    const migration = migrate(`# The worker in the corner.

apiVersion: kubeadm.k8s.io/v1alpha1
kind: NodeConfiguration
discoveryFile: ""
# given by the team
token: ${DISCOVERY_TOKEN} # for a day
discoveryTokenAPIServers:
- 10.0.0.1:6443 # the first
- 10.0.0.2:6443
discoveryTokenCACertHashes: [ "${PIN}" ]
# its name
nodeName: w1
featureGates: {}
# That is all.
`);
    expect(migration.text.reveal()).toBe(`# The worker in the corner.

apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken:
    # given by the team
    token: ${DISCOVERY_TOKEN} # for a day
    apiServerEndpoint: 10.0.0.1:6443
    caCertHashes: [ "${PIN}" ]
nodeRegistration:
  # its name
  name: w1

# That is all.
`);
    expect(changesOf(migration)).toEqual([
      'discoveryTokenAPIServers is lost: v1beta4 has only one API server, so only the first of 2 is kept',
      'featureGates is lost: kubeadm reads them from the cluster',
    ]);
  });

  test('a migration of v1beta3 keeps comments, and creates a list of arguments', () => {
    const migration = migrate(`apiVersion: kubeadm.k8s.io/v1beta3
# of a worker
kind: JoinConfiguration
# how it trusts
discovery:
  # by token
  bootstrapToken:
    apiServerEndpoint: a:1
    token: ${DISCOVERY_TOKEN}
    # for tests
    unsafeSkipCAVerification: true # really
  timeout: 1m0s # short
nodeRegistration:
  taints: null
  kubeletExtraArgs:
    v: "4" # words
    # outside
    cloud-provider: "on"
`);
    expect(migration.text.reveal()).toBe(`apiVersion: kubeadm.k8s.io/v1beta4
# of a worker
kind: JoinConfiguration
# how it trusts
discovery:
  # by token
  bootstrapToken:
    token: ${DISCOVERY_TOKEN}
    apiServerEndpoint: a:1
    # for tests
    unsafeSkipCAVerification: true # really
nodeRegistration:
  kubeletExtraArgs:
    # outside
    - name: cloud-provider
      value: "on"
    - name: v
      value: "4" # words
timeouts:
  discovery: 1m0s # short
`);
    expect(changesOf(migration)).toEqual([]);
  });

  test.each<[string, string, string[]]>([
    [
      'a token that nothing uses',
      `token: ${DISCOVERY_TOKEN}\ndiscoveryToken: ${DISCOVERY_TOKEN}\ntlsBootstrapToken: ${DISCOVERY_TOKEN}\ndiscoveryTokenAPIServers: ["a:1"]\ndiscoveryTokenUnsafeSkipCAVerification: true\n`,
      ['token is lost: the discovery token and the bootstrap token override it'],
    ],
    [
      'fields that a discovery file does not use',
      `token: ${DISCOVERY_TOKEN}\ndiscoveryFile: file:///a.conf\ndiscoveryTokenAPIServers: ["a:1"]\ndiscoveryTokenUnsafeSkipCAVerification: true\ndiscoveryTokenCACertHashes: []\n`,
      [
        'discoveryTokenAPIServers is lost: discovery by a file does not use it',
        'discoveryTokenUnsafeSkipCAVerification is lost: discovery by a file does not use it',
      ],
    ],
    [
      'nothing, of what says nothing',
      `discoveryFile: /a.conf\ndiscoveryTokenAPIServers: []\ndiscoveryTokenUnsafeSkipCAVerification: false\n`,
      [],
    ],
  ])('a migration of v1alpha1 loses %s', (_, lines, changes) => {
    const text = `apiVersion: kubeadm.k8s.io/v1alpha1\nkind: NodeConfiguration\n${lines}`;
    const migration = migrate(text);
    expect(changesOf(migration)).toEqual(changes);
    expect(meaning(migration.text.reveal())).toEqual(meaningLeft(text, migration));
  });

  test('a migration reports that other documents and unknown fields of the file are lost', async () => {
    const text = `${examples.v1beta3}nope: 1\n---\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n`;
    const migration = migrate(text, true);
    expect(changesOf(migration).slice(0, 2)).toEqual([
      'nope is lost: it is not part of a configuration for joining',
      'KubeletConfiguration is lost: it is not part of a configuration for joining',
    ]);
    expect(meaning(migration.text.reveal())).toEqual(meaningLeft(text, migration, true));
    expect((await joinErrorOf(() => migrate(text))).message).toContain('unknown field nope');
  });

  test.each([
    ['aliases', 'skipPhases: &a [x]\nnodeRegistration: { ignorePreflightErrors: *a }\n'],
    ['duplicate fields', 'skipPhases: [x]\nnodeRegistration: { name: a, name: b }\n'],
    ['unknown fields in a list', 'nodeRegistration: { taints: [{ key: a, effect: NoExecute, nope: 1 }] }\n'],
    ['texts that YAML 1.1 takes for booleans', 'nodeRegistration: { ignorePreflightErrors: ["on", "yes", "No"] }\n'],
  ])('a migrated file has no %s', (_, lines) => {
    const head = examples.v1beta4.slice(0, examples.v1beta4.indexOf('nodeRegistration'));
    const text = head + lines;
    const migrated = migrate(text, true).text.reveal();
    expect(meaning(migrated)).toEqual(meaning(text, true));
    expect(migrated).not.toMatch(/[*&]a\b|nope/);
    expect(parse(migrated, { version: '1.1' })).toEqual(parse(migrated));
  });

  test('a migration is refused if the old file is invalid', async () => {
    expect(await joinErrorOf(() => migrate('kind: JoinConfiguration\n'))).toMatchObject({ code: 'E_CONFIG' });
  });

  test.each<[string, string, object]>([
    ['v1alpha3', examples.v1alpha3.replace('controlPlane: false', 'controlPlane: true'), LOCAL],
    [
      'v1alpha3 without an address',
      `${examples.v1alpha3.replace(/controlPlane: false\napiEndpoint.*/, 'controlPlane: true')}`,
      {},
    ],
    ['v1beta1', `${examples.v1beta1}controlPlane: {}\n`, {}],
    [
      'v1beta2',
      `${examples.v1beta2}controlPlane: { certificateKey: ${'ab'.repeat(32)} }\n`,
      { certificateKey: 'ab'.repeat(32) },
    ],
    [
      'v1beta4',
      `${examples.v1beta4}controlPlane:\n  localAPIEndpoint: { advertiseAddress: 1.2.3.4, bindPort: 6443 }\n`,
      LOCAL,
    ],
  ])('a migrated file of %s still asks for the same control plane', (_, text, controlPlane) => {
    const migrated = migrate(text).text.reveal();
    expect(parse(migrated)).toMatchObject({ controlPlane });
    expect(Object.keys((parse(migrated) as { controlPlane: object }).controlPlane)).toEqual(Object.keys(controlPlane));
    expect(meaning(migrated)).toMatchObject({ controlPlane: (meaning(text) as { controlPlane: object }).controlPlane });
  });
});
