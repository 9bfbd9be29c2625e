import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { apiVersionOf, kindOf, VERSIONS, type Version } from '../../../engine/kubeadm/versions.ts';
import { isJoinError } from '../../../engine/sdk/index.ts';
import { printedForms } from '../../helpers/errors.ts';
import { examples, PIECE_OF_SECRET } from '../../helpers/kubeadm.ts';
import { meaning, meaningLeft, migrate } from './migration.ts';

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
    '%s migrates to a valid v1beta4 of the same meaning, except for the reported losses',
    (version) => {
      const configuration = version.startsWith('v1alpha') ? alpha(version) : beta(version);
      fc.assert(
        fc.property(configuration, fc.boolean(), (body, asJson) => {
          const whole = { apiVersion: apiVersionOf(version), kind: kindOf(version), ...body };
          const text = asJson ? JSON.stringify(whole) : stringify(whole, { compat: 'yaml-1.1' });
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

  test('a migration throws only JoinErrors, and they contain no token', () => {
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
          expect(printedForms(error)).not.toMatch(PIECE_OF_SECRET);
        }
      }),
      {
        numRuns: 1_000,
        examples: [
          // Seed -712058937: the end of a token becomes a part of discoveryTimeout.
          [
            examples.v1alpha1,
            [
              [502647570, 12, '  '],
              [0, 8, '\n'],
              [1036325591, 11, ' '],
            ],
            false,
          ],
        ],
      },
    );
  });
});
