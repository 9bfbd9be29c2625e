import { describe, expect, test } from 'vitest';
import { loadJoinConfiguration } from '../../../engine/kubeadm/index.ts';
import { apiVersionOf, VERSIONS, type Version } from '../../../engine/kubeadm/versions.ts';
import { EXIT } from '../../../engine/sdk/index.ts';
import { joinErrorOf, shownOf } from '../../helpers/errors.ts';
import { BOOTSTRAP_TOKEN, DISCOVERY_TOKEN, examples, meaningOf, meanings, PIN, SECRET } from '../../helpers/kubeadm.ts';

const load = (text: string, lenient = false) => loadJoinConfiguration('c.yaml', text, { lenient });
const settingsOf = (text: string) => meaningOf(load(text).settings);
/** `line:column: message` of every problem. */
const problemsOf = async (text: string, lenient = false): Promise<string[]> => {
  const error = await joinErrorOf(() => load(text, lenient));
  expect(error.code).toBe('E_CONFIG');
  expect(shownOf(error)).not.toContain(SECRET);
  return error.message.split('\n').map((line) => line.replace(/^c\.yaml:/, ''));
};
const warningsOf = (text: string, lenient = false): string[] =>
  load(text, lenient).warnings.map(({ line, column, message }) => `${line}:${column}: ${message}`);

const HEAD = 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\n'; // lines 1 and 2
const DISCOVERY = `discovery:
  bootstrapToken: { token: ${DISCOVERY_TOKEN}, apiServerEndpoint: "a:1", caCertHashes: [${PIN}] }\n`;
const OLD = 'apiVersion: kubeadm.k8s.io/v1alpha1\nkind: NodeConfiguration\n';
const OLD_DISCOVERY = `token: ${DISCOVERY_TOKEN}
discoveryTokenAPIServers: ["a:1"]
discoveryTokenCACertHashes: [${PIN}]
`;

describe('every version', () => {
  test.each(VERSIONS)('every field of %s is read', (version) => {
    const loaded = load(examples[version]);
    expect(loaded.apiVersion).toBe(apiVersionOf(version));
    expect(loaded.warnings).toEqual([]);
    expect(meaningOf(loaded.settings)).toEqual(meanings[version]);
    expect(shownOf(loaded)).not.toContain(SECRET);
  });

  test.each(VERSIONS)('%s: an unknown field is an error, and a warning in lenient mode', async (version) => {
    const text = `${examples[version]}caCertPaht: x\nzzzzzz: { a: 1 }\n`;
    const line = text.split('\n').length - 2;
    const messages = [
      `${line}:1: unknown field caCertPaht; did you mean caCertPath?`,
      `${line + 1}:1: unknown field zzzzzz`,
    ];
    expect(await problemsOf(text)).toEqual(messages);
    expect(warningsOf(text, true)).toEqual(messages);
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
    const text = `${HEAD}discovery:
  bootstrapToken: { token: ${token}, apiServerEndpoint: "a:1", unsafeSkipCAVerification: true }
`;
    const error = await joinErrorOf(() => load(text));
    expect(error.message).toMatch(
      /^c\.yaml:4:28: discovery\.bootstrapToken\.token (has the wrong form: it|must be a string: it) must be 6 and 16/,
    );
    expect(shownOf(error)).not.toMatch(/canary|123456/i);
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

describe('what is refused, with its place', () => {
  test.each<[string, string, string[]]>([
    [
      'no discovery',
      '',
      ['1:1: discovery.bootstrapToken or discovery.file is missing: it says which cluster to trust'],
    ],
    [
      'an empty discovery',
      'discovery: {}\n',
      ['3:12: discovery.bootstrapToken or discovery.file is missing: it says which cluster to trust'],
    ],
    [
      'both ways',
      `${DISCOVERY}  file: { kubeConfigPath: /a }\n`,
      ['5:27: discovery.file and discovery.bootstrapToken exclude each other'],
    ],
    [
      'an empty bootstrapToken',
      'discovery:\n  bootstrapToken: {}\n',
      [
        '4:19: discovery.bootstrapToken.token is missing',
        '4:19: discovery.bootstrapToken.apiServerEndpoint is missing',
        '4:19: the CA key must be pinned: discovery.bootstrapToken.caCertHashes (kubeadm token create --print-join-command shows it), or discovery.bootstrapToken.unsafeSkipCAVerification: true',
      ],
    ],
    [
      'an invalid mapping',
      'discovery: none\nnodeRegistration: []\n',
      ['3:12: discovery must be an object', '4:19: nodeRegistration must be an object'],
    ],
    [
      'an invalid bootstrapToken',
      'discovery: { bootstrapToken: x }\n',
      ['3:30: discovery.bootstrapToken must be an object'],
    ],
    ['an invalid file', 'discovery: { file: /a }\n', ['3:20: discovery.file must be an object']],
    ['a file without a path', 'discovery: { file: {} }\n', ['3:20: discovery.file.kubeConfigPath is missing']],
    [
      'an empty path',
      'discovery: { file: { kubeConfigPath: "" } }\n',
      ['3:38: discovery.file.kubeConfigPath is missing'],
    ],
    [
      'an http URL, without its password',
      `discovery: { file: { kubeConfigPath: "http://u:${SECRET}@h/c" } }\n`,
      ['3:38: discovery.file.kubeConfigPath must be a path or an https:// URL: no other one proves who answers'],
    ],
    [
      'an https URL without a host',
      'discovery: { file: { kubeConfigPath: "https://" } }\n',
      ['3:38: discovery.file.kubeConfigPath is not a URL'],
    ],
    [
      'a file URL with a host',
      'discovery: { file: { kubeConfigPath: "file://etc/a.conf" } }\n',
      ['3:38: discovery.file.kubeConfigPath must be file:/// and a path'],
    ],
    [
      'a file URL with a broken escape',
      'discovery: { file: { kubeConfigPath: "file:///%zz" } }\n',
      ['3:38: discovery.file.kubeConfigPath must be file:/// and a path'],
    ],
    [
      'an endpoint without a port, and an invalid pin',
      `discovery:\n  bootstrapToken:\n    token: ${DISCOVERY_TOKEN}\n    apiServerEndpoint: https://a:1\n    caCertHashes: ["sha1:00"]\n`,
      [
        '6:24: discovery.bootstrapToken.apiServerEndpoint has the wrong form "https://a:1": it must be host:port',
        '7:20: discovery.bootstrapToken.caCertHashes[0] has the wrong form "sha1:00": it must be sha256: and 64 hexadecimal digits',
      ],
    ],
    [
      'an invalid port',
      `discovery: { bootstrapToken: { token: ${DISCOVERY_TOKEN}, apiServerEndpoint: "a:70000", unsafeSkipCAVerification: true } }\n`,
      ['3:83: discovery.bootstrapToken.apiServerEndpoint has the port 70000, which is not between 1 and 65535'],
    ],
    [
      'invalid names',
      `${DISCOVERY}nodeRegistration: { name: W1, criSocket: tcp://x, imagePullPolicy: Sometimes }\ncaCertPath: /etc/ca.pem\n`,
      [
        '5:27: nodeRegistration.name has the wrong form "W1": it must be a DNS name: lower-case letters, digits, - and .',
        '5:42: nodeRegistration.criSocket has the wrong form "tcp://x": it must be unix:// and an absolute path',
        '5:68: nodeRegistration.imagePullPolicy must be one of Always, IfNotPresent, Never',
        '6:13: caCertPath has the wrong form "/etc/ca.pem": it must be an absolute path that ends in .crt',
      ],
    ],
    [
      'a name that is too long',
      `${DISCOVERY}nodeRegistration: { name: ${'a'.repeat(254)} }\n`,
      ['5:27: nodeRegistration.name must NOT have more than 253 characters'],
    ],
    [
      'taints without key or effect',
      `${DISCOVERY}nodeRegistration:\n  taints:\n  - { value: a, effect: Never }\n  - x\n`,
      [
        '7:5: nodeRegistration.taints[0].key is missing',
        '7:25: nodeRegistration.taints[0].effect must be one of NoSchedule, PreferNoSchedule, NoExecute',
        '8:5: nodeRegistration.taints[1] must be an object',
      ],
    ],
    [
      'taints that are not a list',
      `${DISCOVERY}nodeRegistration: { taints: none }\n`,
      ['5:29: nodeRegistration.taints must be an array or null'],
    ],
    [
      'arguments in a mapping, as before v1beta4',
      `${DISCOVERY}nodeRegistration: { kubeletExtraArgs: { v: "4" } }\n`,
      [
        '5:39: nodeRegistration.kubeletExtraArgs must be an array: it must be a list of name and value (up to v1beta3 it was a mapping)',
      ],
    ],
    [
      'an argument without a name, and one that is not a string',
      `${DISCOVERY}nodeRegistration:\n  kubeletExtraArgs:\n  - { name: "", value: a }\n  - { name: v, value: 4 }\n`,
      [
        '7:5: nodeRegistration.kubeletExtraArgs[0].name is missing',
        '8:23: nodeRegistration.kubeletExtraArgs[1].value must be a string: put the number in quotes',
      ],
    ],
    [
      'a hostname-override that no Node may have',
      `${DISCOVERY}nodeRegistration:\n  kubeletExtraArgs:\n  - { name: hostname-override, value: ok }\n  - { name: hostname-override, value: not_ok }\n`,
      ['8:39: nodeRegistration.kubeletExtraArgs[1].value must be a DNS name: lower-case letters, digits, - and .'],
    ],
    [
      'all beside other checks',
      `${DISCOVERY}nodeRegistration:\n  ignorePreflightErrors: [Swap, ALL]\n`,
      ['6:26: nodeRegistration.ignorePreflightErrors has all, which stands for every check: leave the others out'],
    ],
    [
      'invalid durations',
      `${DISCOVERY}timeouts:\n  discovery: 300\n  tlsBootstrap: 5 minutes\n  etcdAPICall: -1s\n  kubeletHealthCheck: 0s\n  kubernetesAPICall: "0"\n`,
      [
        '6:14: timeouts.discovery must be a string: it must be a duration with its unit, such as 5m0s',
        '7:17: timeouts.tlsBootstrap has the wrong form "5 minutes": it must be a duration with its unit, such as 5m0s',
        '8:16: timeouts.etcdAPICall has the wrong form "-1s": it must be a duration with its unit, such as 5m0s',
        '9:23: timeouts.kubeletHealthCheck must be longer than nothing',
        '10:22: timeouts.kubernetesAPICall must be longer than nothing',
      ],
    ],
    [
      'a boolean of YAML 1.1',
      `${DISCOVERY}dryRun: yes\n`,
      ['5:9: dryRun must be a boolean: write true or false, without quotes'],
    ],
    ['a duplicate field', `${DISCOVERY}dryRun: true\ndryRun: false\n`, ['6:1: this field is duplicate']],
    [
      'everything at once, in the order of the file',
      'skipPhases: x\ncontrolPlane: {}\ndryRun: 1\n',
      [
        '1:1: discovery.bootstrapToken or discovery.file is missing: it says which cluster to trust',
        '3:13: skipPhases must be an array',
        '4:1: controlPlane asks for a control-plane node: only workers can be joined',
        '5:9: dryRun must be a boolean',
      ],
    ],
  ])('v1beta4 is refused with its place: %s', async (_, lines, problems) => {
    expect(await problemsOf(HEAD + lines)).toEqual(problems);
  });

  test.each<[string, string, string[]]>([
    ['no discovery', '', ['1:1: token or discoveryFile is missing: it says which cluster to trust']],
    [
      'both ways',
      `discoveryToken: ${DISCOVERY_TOKEN}\ndiscoveryFile: /a\n`,
      ['4:16: discoveryFile and discoveryToken exclude each other'],
    ],
    [
      'no server and no pin',
      `token: ${DISCOVERY_TOKEN}\n`,
      [
        '1:1: discoveryTokenAPIServers is missing',
        '1:1: the CA key must be pinned: discoveryTokenCACertHashes (kubeadm token create --print-join-command shows it), or discoveryTokenUnsafeSkipCAVerification: true',
      ],
    ],
    [
      'invalid servers',
      `token: ${DISCOVERY_TOKEN}\ndiscoveryTokenAPIServers: [a, "b:0", "c:1"]\ndiscoveryTokenUnsafeSkipCAVerification: true\n`,
      [
        '4:28: discoveryTokenAPIServers[0] has the wrong form "a": it must be host:port',
        '4:31: discoveryTokenAPIServers[1] has the port 0, which is not between 1 and 65535',
      ],
    ],
    [
      'pins beside a file',
      `discoveryFile: /a\ndiscoveryTokenCACertHashes: [${PIN}]\n`,
      ['4:29: discoveryTokenCACertHashes is for discovery by a token, not by a file'],
    ],
    [
      'gates that are not booleans',
      `${OLD_DISCOVERY}featureGates: { CoreDNS: "true" }\n`,
      ['6:26: featureGates.CoreDNS must be a boolean: write true or false, without quotes'],
    ],
  ])('v1alpha1 is refused with its place: %s', async (_, lines, problems) => {
    expect(await problemsOf(OLD + lines)).toEqual(problems);
  });

  test('arguments in a list are refused before v1beta4', async () => {
    const text = examples.v1beta3.replace(/kubeletExtraArgs: .*/, 'kubeletExtraArgs: [{ name: v }]');
    expect(await problemsOf(text)).toEqual([
      '16:21: nodeRegistration.kubeletExtraArgs must be an object: it must be a mapping (from v1beta4 on it is a list of name and value)',
    ]);
  });

  test('the error lists 100 problems and counts the rest', async () => {
    const text = HEAD + DISCOVERY + Array.from({ length: 150 }, (_, index) => `x${index}: 1\n`).join('');
    const problems = await problemsOf(text);
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)).toBe('105:1: 50 more problems from here on');
  });
});

describe('a control-plane node', () => {
  test.each([
    ['v1alpha3', `${examples.v1alpha3.replace('controlPlane: false', 'controlPlane: true')}`, 17],
    ['v1beta1', `${examples.v1beta1}controlPlane: {}\n`, 17],
    [
      'v1beta4',
      `${examples.v1beta4}controlPlane:\n  localAPIEndpoint: { advertiseAddress: 1.2.3.4, bindPort: 6443 }\n  certificateKey: ${SECRET}\n`,
      32,
    ],
  ])('a control-plane node is refused with its own code, at its line: %s', async (_, text, line) => {
    const error = await joinErrorOf(() => load(text));
    expect(error).toMatchObject({
      code: 'E_CONTROL_PLANE_UNSUPPORTED',
      exitCode: EXIT.usage,
      message: `c.yaml:${line}:1: controlPlane requests a control-plane node, but Joinery only joins workers`,
    });
    expect(shownOf(error)).not.toContain(SECRET);
  });

  test('a file with controlPlane: null is for a worker', () => {
    expect(settingsOf(`${examples.v1beta4}controlPlane:\n`)).toEqual(meanings.v1beta4);
  });
});

describe('what means the same', () => {
  test('empty texts and null mean the same as omission, and an empty list of taints means no taints', () => {
    const bare = settingsOf(HEAD + DISCOVERY);
    const empty = `nodeRegistration: { name: "", criSocket: , imagePullPolicy: "", taints: null }
caCertPath: ""
timeouts:
patches: { directory: "" }
`;
    expect(settingsOf(HEAD + DISCOVERY + empty)).toEqual(bare);
    expect(bare.taints).toBeUndefined();
    expect(settingsOf(`${HEAD}${DISCOVERY}nodeRegistration: { taints: [] }\n`).taints).toEqual([]);
    expect(
      settingsOf(`${OLD + OLD_DISCOVERY}discoveryFile: ""\nnodeName: ""\nclusterName: ""\ndiscoveryToken: ""\n`),
    ).toEqual(settingsOf(OLD + OLD_DISCOVERY));
  });

  test('arguments in a list keep their order and duplicates; those of a mapping are sorted', () => {
    const list =
      'nodeRegistration: { kubeletExtraArgs: [{ name: z, value: a }, { name: b }, { name: z, value: "" }] }\n';
    expect(settingsOf(HEAD + DISCOVERY + list).kubeletExtraArgs).toEqual([
      { name: 'z', value: 'a' },
      { name: 'b', value: '' },
      { name: 'z', value: '' },
    ]);
    const map = examples.v1beta1.replace(/kubeletExtraArgs: .*/, 'kubeletExtraArgs: { z: "", b: c }');
    expect(settingsOf(map).kubeletExtraArgs).toEqual([
      { name: 'b', value: 'c' },
      { name: 'z', value: '' },
    ]);
  });

  test.each([
    ['[{ name: hostname-override, value: a }, { name: hostname-override, value: " B " }]', 'b'],
    ['[{ name: hostname-override, value: "" }]', 'w1'],
    ['[]', 'w1'],
  ])('the last hostname-override takes precedence over the name: %s', (args, name) => {
    expect(settingsOf(`${HEAD}${DISCOVERY}nodeRegistration: { name: w1, kubeletExtraArgs: ${args} }\n`).nodeName).toBe(
      name,
    );
  });

  test.each([
    ['/a/b.conf', '/a/b.conf'],
    ['b.conf', 'b.conf'],
    ['file:///a/b%20c.conf', '/a/b c.conf'],
    ['https://h/c.conf', 'https://h/c.conf'],
  ])('the discovery file %s is read from %s', (file, path) => {
    expect(settingsOf(`${HEAD}discovery: { file: { kubeConfigPath: "${file}" } }\n`).discovery).toEqual({
      by: 'file',
      file: path,
    });
    expect(settingsOf(`${OLD}discoveryFile: "${file}"\n`).discovery).toEqual({ by: 'file', file: path });
  });

  test.each([
    ['90s', 90_000],
    ['1h1m1s1ms', 3_661_001],
    ['.5s', 500],
    ['1.m', 60_000],
    ['1500us', 1.5],
    ['1µs', 0.001],
  ])('the duration %s has %d ms', (text, ms) => {
    expect(settingsOf(`${HEAD}${DISCOVERY}timeouts: { discovery: ${text} }\n`).timeouts).toEqual({ discoveryMs: ms });
  });

  test('pins may be in upper case, and may be combined with unsafeSkipCAVerification', () => {
    const upper = PIN.toUpperCase();
    const text =
      HEAD + DISCOVERY.replace(PIN, upper).replace('caCertHashes', 'unsafeSkipCAVerification: true, caCertHashes');
    expect(settingsOf(text).discovery).toMatchObject({ caCertHashes: [upper], unsafeSkipCaVerification: true });
  });

  test('an alias has the value of its anchor', () => {
    const text = `${HEAD}discovery:
  bootstrapToken: { token: &t ${DISCOVERY_TOKEN}, apiServerEndpoint: "a:1", unsafeSkipCAVerification: true }
  tlsBootstrapToken: *t
`;
    expect(settingsOf(text).tlsBootstrapToken).toBe(DISCOVERY_TOKEN);
  });

  test('Windows line ends and a byte order mark change nothing', () => {
    expect(settingsOf(`\ufeff${examples.v1beta4.replaceAll('\n', '\r\n')}`)).toEqual(meanings.v1beta4);
  });

  test('a YAML directive does not change the version of the language', async () => {
    expect(await problemsOf(`%YAML 1.1\n---\n${HEAD}${DISCOVERY}dryRun: yes\n`)).toEqual([
      '7:9: dryRun must be a boolean: write true or false, without quotes',
    ]);
  });
});

describe('the documents of a file', () => {
  const others = `apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
anything: goes
---
# nothing in this one
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
---
`;
  test('documents of other kinds are skipped with a warning', () => {
    expect(settingsOf(others + examples.v1beta4)).toEqual(meanings.v1beta4);
    expect(warningsOf(others + examples.v1beta4)).toEqual([
      '1:1: the ClusterConfiguration is passed over: it is not for joining',
      '7:1: the KubeletConfiguration is passed over: it is not for joining',
    ]);
  });

  test('problems of the second document have the lines of the file', async () => {
    expect(await problemsOf(`${others}${HEAD}${DISCOVERY}nope: 1\n`)).toEqual(['14:1: unknown field nope']);
  });

  const supported = VERSIONS.map(apiVersionOf).join(', ');
  test.each<[string, string, string[]]>([
    ['nothing', '', ['1:1: there is no JoinConfiguration in this file']],
    ['only a comment', '# nothing\n', ['1:1: there is no JoinConfiguration in this file']],
    ['other documents only', others, ['1:1: there is no JoinConfiguration in this file']],
    ['text', 'hello\n', ['1:1: this is not a configuration: it must be a mapping with apiVersion and kind']],
    ['a list', '- a\n', ['1:1: this is not a configuration: it must be a mapping with apiVersion and kind']],
    ['no kind', 'apiVersion: kubeadm.k8s.io/v1beta4\n', ['1:1: kind is missing: it must be JoinConfiguration']],
    ['no apiVersion', 'kind: JoinConfiguration\n', [`1:1: apiVersion is missing: it must be one of ${supported}`]],
    ['no apiVersion in another document', 'kind: ClusterConfiguration\n', ['1:1: apiVersion is missing']],
    [
      'an unknown version',
      'apiVersion: kubeadm.k8s.io/v1beta5\nkind: JoinConfiguration\n',
      [`1:13: apiVersion must be one of ${supported}; did you mean kubeadm.k8s.io/v1beta1?`],
    ],
    [
      'another group',
      'apiVersion: example.com/v7\nkind: JoinConfiguration\n',
      [`1:13: apiVersion must be one of ${supported}`],
    ],
    [
      'a kind that the version does not have',
      'apiVersion: kubeadm.k8s.io/v1beta4\nkind: NodeConfiguration\n',
      ['2:7: kubeadm.k8s.io/v1beta4 has no NodeConfiguration: it is JoinConfiguration there'],
    ],
    [
      'a kind that had another name then',
      'apiVersion: kubeadm.k8s.io/v1alpha2\nkind: JoinConfiguration\n',
      ['2:7: kubeadm.k8s.io/v1alpha2 has no JoinConfiguration: it is NodeConfiguration there'],
    ],
    [
      'a mistyped kind',
      'apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfigration\n',
      ['2:7: kubeadm.k8s.io has no such kind; did you mean JoinConfiguration?'],
    ],
    ['two of them', `${HEAD}${DISCOVERY}---\n${HEAD}`, ['7:7: a second JoinConfiguration in one file']],
    [
      'two of different versions',
      `${HEAD}${DISCOVERY}---\n${OLD}${OLD_DISCOVERY}`,
      ['7:7: a second configuration for joining in one file'],
    ],
    [
      'two of another kind',
      `${others}${HEAD}${DISCOVERY}---\n${others}`,
      ['16:7: a second ClusterConfiguration in one file', '22:7: a second KubeletConfiguration in one file'],
    ],
    ['more than 128 KiB', `# ${'x'.repeat(131_072)}`, ['1:1: larger than 131072 bytes']],
  ])('a file is refused if it contains %s', async (_, text, problems) => {
    expect(await problemsOf(text)).toEqual(problems);
  });

  test.each([
    [
      'a bracket that is never closed',
      'x: [1\n',
      '6:1: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    ['an alias that leads nowhere', 'x: *a\n', '1:1: Unresolved alias (the anchor must be set before the alias)'],
    ['a tag', 'x: !!binary aGk=\n', '5:4: Unresolved tag'],
    ['a key that is a number', '5: x\n', '5:1: unknown field'],
  ])('%s is a problem at its place', async (_, lines, problem) => {
    expect(await problemsOf(HEAD + DISCOVERY + lines)).toEqual([problem]);
  });

  test('an alias bomb is refused', async () => {
    const row = (name: string, of: string) => `${name}: &${name} [${Array(10).fill(of).join(',')}]\n`;
    const bomb = row('a', '1') + row('b', '*a') + row('c', '*b') + row('d', '*c');
    expect(await problemsOf(HEAD + bomb)).toEqual([
      '1:1: Excessive alias count indicates a resource exhaustion attack',
    ]);
  });

  test('a duplicate field has its last value in lenient mode', () => {
    const text = `${HEAD}${DISCOVERY}dryRun: false\ndryRun: true\n`;
    expect(warningsOf(text, true)).toEqual(['6:1: this field is duplicate']);
    expect(load(text, true).settings.dryRun).toBe(true);
  });

  test('lenient mode applies to fields, not to their values', async () => {
    expect(await problemsOf(`${HEAD}${DISCOVERY}dryRun: 1\nnope: 1\n`, true)).toEqual([
      '5:9: dryRun must be a boolean',
    ]);
  });

  test('keys that every JavaScript object has are unknown fields', async () => {
    expect(await problemsOf(`${HEAD}${DISCOVERY}constructor: 1\n__proto__: { dryRun: true }\ntoString:\n`)).toEqual([
      '5:1: unknown field constructor',
      '6:1: unknown field',
      '7:1: unknown field toString',
    ]);
  });
});
