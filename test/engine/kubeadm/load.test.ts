import { describe, expect, test } from 'vitest';
import { apiVersionOf, VERSIONS, type Version } from '../../../engine/kubeadm/versions.ts';
import { joinErrorOf, printedForms } from '../../helpers/errors.ts';
import { BOOTSTRAP_TOKEN, DISCOVERY_TOKEN, examples, meaningOf, meanings, PIN, SECRET } from '../../helpers/kubeadm.ts';
import { HEAD, load, OLD, problemsOf, settingsOf, warningsOf } from './configuration.ts';

describe('every version', () => {
  test.each(VERSIONS)('every field of %s is read', (version) => {
    const loaded = load(examples[version]);
    expect(loaded.apiVersion).toBe(apiVersionOf(version));
    expect(loaded.warnings).toEqual([]);
    expect(meaningOf(loaded.settings)).toEqual(meanings[version]);
    expect(printedForms(loaded)).not.toContain(SECRET);
  });

  test.each(VERSIONS)('%s: an unknown field is an error, and a warning in lenient mode', async (version) => {
    const text = `${examples[version]}caCertPaht: x\nzzzzzz: { a: 1 }\n`;
    const line = text.split('\n').length - 2;
    const problems = [
      `${line}:1: unknown field caCertPaht; did you mean caCertPath?`,
      `${line + 1}:1: unknown field zzzzzz`,
    ];
    expect(await problemsOf(text)).toEqual(problems);
    expect(warningsOf(text, true)).toEqual(problems);
    expect(meaningOf(load(text, true).settings)).toEqual(meanings[version]);
  });

  test.each(VERSIONS)('%s: JSON is read as well', (version) => {
    const old = version.startsWith('v1alpha');
    const json = JSON.stringify(
      {
        apiVersion: apiVersionOf(version),
        kind: version === 'v1alpha1' || version === 'v1alpha2' ? 'NodeConfiguration' : 'JoinConfiguration',
        ...(old
          ? { token: DISCOVERY_TOKEN, discoveryTokenAPIServers: ['a:1'], discoveryTokenUnsafeSkipCAVerification: true }
          : {
              discovery: {
                bootstrapToken: { token: DISCOVERY_TOKEN, apiServerEndpoint: 'a:1', unsafeSkipCAVerification: true },
              },
            }),
      },
      null,
      '\t',
    );
    expect(settingsOf(json)).toMatchObject({
      discovery: { token: DISCOVERY_TOKEN },
      tlsBootstrapToken: DISCOVERY_TOKEN,
    });
  });

  test.each<[Version, string]>([
    ['v1alpha1', 'nodeRegistration: {}'],
    ['v1alpha2', 'nodeName: w1'],
    ['v1alpha2', 'controlPlane: false'],
    ['v1beta1', 'token: x'],
    ['v1beta2', 'skipPhases: []'],
    ['v1beta3', 'timeouts: {}'],
    ['v1beta3', 'dryRun: true'],
    ['v1beta4', 'featureGates: {}'],
  ])('%s has no field of another version: %s', async (version, line) => {
    const [problem] = await problemsOf(`${examples[version]}${line}\n`);
    expect(problem).toMatch(new RegExp(`:1: unknown field ${line.split(':')[0]}$`));
  });

  test('a file from the documentation of 2017 is read without apiVersion', () => {
    const text = `kind: NodeConfiguration
caCertPath: /etc/kubernetes/pki/ca.crt
discoveryFile: ""
discoveryToken: ${DISCOVERY_TOKEN}
discoveryTokenAPIServers:
- 10.0.0.1:6443
- 10.0.0.2:6443
nodeName: w1
tlsBootstrapToken: ${BOOTSTRAP_TOKEN}
token: aaaaaa.aaaaaaaaaaaaaaaa
discoveryTokenCACertHashes:
- ${PIN}
discoveryTokenUnsafeSkipCAVerification: false
`;
    expect(settingsOf(text)).toMatchObject({
      discovery: {
        token: DISCOVERY_TOKEN,
        apiServers: ['10.0.0.1:6443', '10.0.0.2:6443'],
        caCertHashes: [PIN],
        unsafeSkipCaVerification: false,
      },
      tlsBootstrapToken: BOOTSTRAP_TOKEN,
      nodeName: 'w1',
      caCertPath: '/etc/kubernetes/pki/ca.crt',
    });
    expect(warningsOf(text)).toEqual(['1:1: apiVersion is missing: read as kubeadm.k8s.io/v1alpha1']);
  });
});

describe('tokens', () => {
  test.each<[string, string, object]>([
    ['token stands for both', `token: ${DISCOVERY_TOKEN}\n`, { d: DISCOVERY_TOKEN, b: DISCOVERY_TOKEN }],
    [
      'discoveryToken wins over token',
      `token: ${BOOTSTRAP_TOKEN}\ndiscoveryToken: ${DISCOVERY_TOKEN}\n`,
      { d: DISCOVERY_TOKEN, b: BOOTSTRAP_TOKEN },
    ],
    [
      'tlsBootstrapToken wins over token',
      `token: ${DISCOVERY_TOKEN}\ntlsBootstrapToken: ${BOOTSTRAP_TOKEN}\n`,
      { d: DISCOVERY_TOKEN, b: BOOTSTRAP_TOKEN },
    ],
    [
      'discoveryToken bootstraps if no other token does',
      `discoveryToken: ${DISCOVERY_TOKEN}\n`,
      { d: DISCOVERY_TOKEN, b: DISCOVERY_TOKEN },
    ],
  ])('tokens of v1alpha1: %s', (_, lines, tokens) => {
    const rest = 'discoveryTokenAPIServers: ["a:1"]\ndiscoveryTokenUnsafeSkipCAVerification: true\n';
    const { discovery, tlsBootstrapToken } = settingsOf(OLD + lines + rest) as {
      discovery: { token: string };
      tlsBootstrapToken: string;
    };
    expect({ d: discovery.token, b: tlsBootstrapToken }).toEqual(tokens);
  });

  test('beside a discovery file, token is only for the bootstrap', () => {
    expect(settingsOf(`${OLD}discoveryFile: /a.conf\ntoken: ${BOOTSTRAP_TOKEN}\n`)).toMatchObject({
      discovery: { by: 'file', file: '/a.conf' },
      tlsBootstrapToken: BOOTSTRAP_TOKEN,
    });
    expect(settingsOf(`${HEAD}discovery: { file: { kubeConfigPath: a.conf } }\n`).tlsBootstrapToken).toBeUndefined();
  });

  test.each([
    ['in upper case', 'cafe01.CANARY7F3AC0FFEE'],
    ['with a space', `" ${DISCOVERY_TOKEN}"`],
    ['too long', `${DISCOVERY_TOKEN}e`],
    ['without its dot', 'cafe01canary7f3ac0ffee'],
    ['of digits, which YAML reads as a number', '123456.1234567890123456'],
  ])('a token %s is refused, and not quoted', async (_, token) => {
    const text = `${HEAD}discovery:\n  bootstrapToken: { token: ${token}, apiServerEndpoint: "a:1", unsafeSkipCAVerification: true }\n`;
    const error = await joinErrorOf(() => load(text));
    expect(error.message).toMatch(
      /^c\.yaml:4:28: discovery\.bootstrapToken\.token (has the wrong form: it|must be a string: it) must be 6 and 16/,
    );
    expect(printedForms(error)).not.toMatch(/canary|123456/i);
  });

  test.each([
    ['as a key', `${DISCOVERY_TOKEN}: 1\n`],
    ['in a key', `"token:${DISCOVERY_TOKEN}": 1\n`],
    ['for an API server', `discovery: { bootstrapToken: { apiServerEndpoint: ${DISCOVERY_TOKEN} } }\n`],
    ['for a pin', `discovery: { bootstrapToken: { caCertHashes: [${DISCOVERY_TOKEN}] } }\n`],
    ['for the name of a gate', `---\n${OLD}featureGates: { ${DISCOVERY_TOKEN}: 1 }\n`],
    ['for a kind', `---\nkind: ${DISCOVERY_TOKEN}\napiVersion: a/b\n---\nkind: ${DISCOVERY_TOKEN}\napiVersion: a/b\n`],
    ['for an apiVersion', `---\nkind: JoinConfiguration\napiVersion: ${DISCOVERY_TOKEN}\n`],
    ['where YAML ends too early', `x: [${DISCOVERY_TOKEN}\n`],
    ['in the header of a block', `x: |${DISCOVERY_TOKEN}\n  y\n`],
    ['for an alias', `x: *${DISCOVERY_TOKEN}\n`],
    ['for a tag', `x: !${DISCOVERY_TOKEN} y\n`],
    ['after a quote', `x: "${DISCOVERY_TOKEN}" ${DISCOVERY_TOKEN}\n`],
  ])('a misplaced token is not quoted: %s', async (_, lines) => {
    expect((await problemsOf(HEAD + lines)).length).toBeGreaterThan(0);
  });
});
