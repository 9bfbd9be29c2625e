import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { loadJoinConfiguration, type Migration, migrateConfiguration } from '../../../engine/kubeadm/index.ts';
import { apiVersionOf, kindOf, VERSIONS, type Version } from '../../../engine/kubeadm/versions.ts';
import { isJoinError } from '../../../engine/sdk/index.ts';
import { joinErrorOf, shownOf } from '../../helpers/errors.ts';
import { DISCOVERY_TOKEN, examples, meaningOf, PIN, SECRET } from '../../helpers/kubeadm.ts';

const migrate = (text: string, lenient = false) => migrateConfiguration('old.yaml', text, { lenient });
const changesOf = ({ changes }: Migration): string[] =>
  changes.map(({ field, lost, why }) => `${field} is ${lost ? 'lost' : 'changed'}: ${why}`);
const meaning = (text: string, lenient = false) =>
  meaningOf(loadJoinConfiguration('x.yaml', text, { lenient }).settings);

/** What a file says, without what its migration tells to be lost. */
function meaningLeft(text: string, { changes }: Migration, lenient = false): object {
  const lost = changes.filter((change) => change.lost).map(({ field }) => field);
  const settings = meaning(text, lenient);
  const { discovery } = settings as { discovery: { apiServers?: string[] } };
  return {
    ...settings,
    ...(lost.includes('clusterName') ? { clusterName: undefined } : {}),
    ...(lost.includes('featureGates') ? { featureGates: {} } : {}),
    ...(lost.includes('discoveryTokenAPIServers') && discovery.apiServers !== undefined
      ? { discovery: { ...discovery, apiServers: discovery.apiServers.slice(0, 1) } }
      : {}),
  };
}

const FROM_CLUSTER = [
  'clusterName is lost: kubeadm takes it from the cluster',
  'featureGates is lost: kubeadm takes them from the cluster',
];
const socketOf = (place: string) => `${place} is changed: unix:// stands before it now: kubeadm takes URLs only`;

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
  ])('a migration of %s keeps its meaning, and reports what changes', (version, changes) => {
    const migration = migrate(examples[version]);
    expect(migration.from).toBe(apiVersionOf(version));
    expect(changesOf(migration)).toEqual(changes);
    const text = migration.text.reveal();
    expect(parse(text)).toMatchObject({ apiVersion: 'kubeadm.k8s.io/v1beta4', kind: 'JoinConfiguration' });
    expect(meaning(text)).toEqual(meaningLeft(examples[version], migration));
    expect(shownOf(migration)).not.toContain(SECRET);
  });

  test('migrating a migrated file changes nothing', () => {
    const once = migrate(examples.v1beta4).text.reveal();
    expect(migrate(once).text.reveal()).toBe(once);
    expect(changesOf(migrate(once))).toEqual([]);
  });

  test('a file of 2017 is migrated', () => {
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
      'discoveryTokenAPIServers is lost: only the first of its 2 API servers has a place',
      'featureGates is lost: kubeadm takes them from the cluster',
    ]);
  });

  test('a migration of v1beta3 keeps comments, and turns arguments into a list', () => {
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
      'a token that nothing makes use of',
      `token: ${DISCOVERY_TOKEN}\ndiscoveryToken: ${DISCOVERY_TOKEN}\ntlsBootstrapToken: ${DISCOVERY_TOKEN}\ndiscoveryTokenAPIServers: ["a:1"]\ndiscoveryTokenUnsafeSkipCAVerification: true\n`,
      ['token is lost: the tokens for discovery and bootstrap are both given, and win over it'],
    ],
    [
      'what a discovery file makes no use of',
      `token: ${DISCOVERY_TOKEN}\ndiscoveryFile: file:///a.conf\ndiscoveryTokenAPIServers: ["a:1"]\ndiscoveryTokenUnsafeSkipCAVerification: true\ndiscoveryTokenCACertHashes: []\n`,
      [
        'discoveryTokenAPIServers is lost: a discovery file makes no use of it',
        'discoveryTokenUnsafeSkipCAVerification is lost: a discovery file makes no use of it',
      ],
    ],
    [
      'nothing, if the fields are empty',
      `discoveryFile: /a.conf\ndiscoveryTokenAPIServers: []\ndiscoveryTokenUnsafeSkipCAVerification: false\n`,
      [],
    ],
  ])('a migration of v1alpha1 loses %s', (_, lines, changes) => {
    const text = `apiVersion: kubeadm.k8s.io/v1alpha1\nkind: NodeConfiguration\n${lines}`;
    const migration = migrate(text);
    expect(changesOf(migration)).toEqual(changes);
    expect(meaning(migration.text.reveal())).toEqual(meaningLeft(text, migration));
  });

  test('a migration reports that other documents and unknown fields are lost', async () => {
    const text = `${examples.v1beta3}nope: 1
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
`;
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
    ['ambiguous booleans of YAML 1.1', 'nodeRegistration: { ignorePreflightErrors: [on, "yes", No] }\n'],
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
    expect(await joinErrorOf(() => migrate(`${examples.v1beta4}controlPlane: {}\n`))).toMatchObject({
      code: 'E_CONTROL_PLANE_UNSUPPORTED',
    });
  });
});

const letters = (min: number, max: number, of = 'abcxyz0189') =>
  fc.string({ unit: fc.constantFrom(...of), minLength: min, maxLength: max });
const token = fc.tuple(letters(6, 6), letters(16, 16)).map((halves) => halves.join('.'));
const word = fc.oneof(
  letters(1, 8),
  fc.constantFrom('yes', 'on', '0644', '1e3', 'null', '~', 'a: b', '# no', '- x', ' x '),
);
const name = letters(1, 12, 'abc019');
const duration = fc
  .tuple(fc.integer({ min: 1, max: 999 }), fc.constantFrom('ms', 's', 'm', 'h'))
  .map((parts) => parts.join(''));
const server = fc.tuple(name, fc.integer({ min: 1, max: 65_535 })).map((parts) => parts.join(':'));
const some = <T extends object>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(shape, { requiredKeys: [] });
const pins = fc.array(
  letters(64, 64, '0aF').map((hex) => `sha256:${hex}`),
  { maxLength: 2 },
);
const file = fc.constantFrom('/a.conf', 'b.conf', 'file:///c%20d.conf', 'https://h/c.conf');
const socket = fc.constantFrom('/run/a.sock', 'unix:///run/b.sock', '');
const taint = fc.record(
  { key: name, value: word, effect: fc.constantFrom('NoSchedule', 'NoExecute') },
  { requiredKeys: ['key', 'effect'] },
);
const argument = fc.constantFrom('v', 'node-labels', 'cloud-provider', 'a');

const alpha = (version: Version) =>
  some<Record<string, unknown>>({
    token,
    discoveryToken: token,
    discoveryFile: fc.option(file),
    tlsBootstrapToken: fc.option(token, { nil: '' }),
    discoveryTimeout: duration,
    caCertPath: fc.constantFrom('/x.crt', ''),
    clusterName: fc.oneof(name, fc.constant('')),
    featureGates: fc.dictionary(name, fc.boolean(), { maxKeys: 2 }),
    ...(version === 'v1alpha1' ? { nodeName: name, criSocket: socket } : { nodeRegistration: registration(version) }),
    ...(version === 'v1alpha3' ? { controlPlane: fc.constant(false), apiEndpoint: fc.constant({ bindPort: 1 }) } : {}),
  }).chain(({ discoveryToken, ...rest }) =>
    fc
      .record({
        discoveryTokenAPIServers: fc.array(server, { minLength: 1, maxLength: 3 }),
        discoveryTokenCACertHashes: pins,
        discoveryTokenUnsafeSkipCAVerification: fc.constant(true),
      })
      .map(({ discoveryTokenCACertHashes, ...others }) =>
        rest.discoveryFile
          ? { ...rest, ...others }
          : {
              ...others,
              ...(discoveryToken === undefined ? { token: 'abcdef.0123456789abcdef' } : { discoveryToken }),
              ...rest,
              discoveryTokenCACertHashes,
            },
      ),
  );

const registration = (version: Version) =>
  some<Record<string, unknown>>({
    name,
    criSocket: socket,
    taints: fc.option(fc.array(taint, { maxLength: 2 })),
    kubeletExtraArgs:
      version === 'v1beta4'
        ? fc.array(fc.record({ name: argument, value: word }, { requiredKeys: ['name'] }), { maxLength: 4 })
        : fc.dictionary(argument, word, { maxKeys: 3 }),
    ...(version >= 'v1beta2' ? { ignorePreflightErrors: fc.array(word, { maxLength: 2 }) } : {}),
    ...(version >= 'v1beta3' ? { imagePullPolicy: fc.constantFrom('Always', 'Never', '') } : {}),
    ...(version === 'v1beta4' ? { imagePullSerial: fc.boolean() } : {}),
  });

const beta = (version: Version) =>
  fc.record(
    {
      discovery: fc.oneof(
        fc.record(
          {
            bootstrapToken: fc.record(
              { token, apiServerEndpoint: server, caCertHashes: pins, unsafeSkipCAVerification: fc.constant(true) },
              { requiredKeys: ['token', 'apiServerEndpoint', 'unsafeSkipCAVerification'] },
            ),
            tlsBootstrapToken: fc.option(token),
            ...(version === 'v1beta4' ? {} : { timeout: duration }),
          },
          { requiredKeys: ['bootstrapToken'] },
        ),
        fc.record({ file: fc.record({ kubeConfigPath: file }), tlsBootstrapToken: token }, { requiredKeys: ['file'] }),
      ),
      nodeRegistration: fc.option(registration(version)),
      caCertPath: fc.constantFrom('/x.crt', null),
      ...(version >= 'v1beta3' ? { skipPhases: fc.array(word), patches: some({ directory: word }) } : {}),
      ...(version === 'v1beta4'
        ? { dryRun: fc.boolean(), timeouts: some({ discovery: duration, etcdAPICall: duration }) }
        : {}),
    },
    { requiredKeys: ['discovery'] },
  );

describe('whatever the old file says', () => {
  test.each(VERSIONS)(
    'any file of %s migrates to a valid v1beta4 file of the same meaning, except for reported changes',
    (version) => {
      const configuration = version.startsWith('v1alpha') ? alpha(version) : beta(version);
      fc.assert(
        fc.property(configuration, fc.boolean(), (body, asJson) => {
          const whole = { apiVersion: apiVersionOf(version), kind: kindOf(version), ...body };
          const text = asJson ? JSON.stringify(whole) : stringify(whole);
          const migration = migrate(text);
          const migrated = migration.text.reveal();
          expect(meaning(migrated)).toEqual(meaningLeft(text, migration));
          expect(migrate(migrated).text.reveal()).toBe(migrated);
          expect(parse(migrated, { version: '1.1' })).toEqual(parse(migrated));
        }),
        { numRuns: 150 },
      );
    },
  );

  test('any text either migrates or causes a JoinError, and no error quotes a token', () => {
    const base = fc.constantFrom(...Object.values(examples));
    const piece = fc.constantFrom(
      '\n',
      '  ',
      '- ',
      ': ',
      '"',
      '{',
      ']',
      '&a ',
      '*a',
      '!!str ',
      'null',
      '# c',
      '|\n',
      '---\n',
      '? ',
      '\t',
      '\ufeff',
      '__proto__: {}\n',
    );
    const cut = fc.tuple(fc.nat(), fc.nat(20), fc.oneof(piece, fc.string({ maxLength: 4 })));
    fc.assert(
      fc.property(base, fc.array(cut, { minLength: 1, maxLength: 4 }), fc.boolean(), (text, cuts, lenient) => {
        const broken = cuts.reduce((left, [at, length, put]) => {
          const start = at % (left.length + 1);
          return left.slice(0, start) + put + left.slice(start + length);
        }, text);
        try {
          const migration = migrate(broken, lenient);
          expect(meaning(migration.text.reveal())).toEqual(meaningLeft(broken, migration, lenient));
        } catch (error) {
          if (!isJoinError(error)) throw error;
          expect(shownOf(error)).not.toContain(SECRET);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
