import { describe, expect, test } from 'vitest';
import { DISCOVERY_TOKEN, examples, PIN, SECRET } from '../../helpers/kubeadm.ts';
import { DISCOVERY, HEAD, OLD, OLD_DISCOVERY, problemsOf } from './configuration.ts';

describe('what is refused, with its place', () => {
  test.each<[string, string, string[]]>([
    [
      'no discovery',
      '',
      ['1:1: discovery.bootstrapToken or discovery.file is missing: it decides which cluster to trust'],
    ],
    [
      'an empty discovery',
      'discovery: {}\n',
      ['3:12: discovery.bootstrapToken or discovery.file is missing: it decides which cluster to trust'],
    ],
    [
      'both ways',
      `${DISCOVERY}  file: { kubeConfigPath: /a }\n`,
      ['5:27: discovery.file and discovery.bootstrapToken cannot be combined'],
    ],
    [
      'an empty bootstrapToken',
      'discovery:\n  bootstrapToken: {}\n',
      [
        '4:19: discovery.bootstrapToken.token is missing',
        '4:19: discovery.bootstrapToken.apiServerEndpoint is missing',
        '4:19: the CA key must be pinned: discovery.bootstrapToken.caCertHashes (kubeadm token create --print-join-command prints it), or discovery.bootstrapToken.unsafeSkipCAVerification: true',
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
      [
        '3:38: discovery.file.kubeConfigPath must be a path or an https:// URL: other URLs do not prove the identity of the server',
      ],
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
        '6:24: discovery.bootstrapToken.apiServerEndpoint has the wrong form "https://a:1": it must be host:port, with a port from 1 to 65535',
        '7:20: discovery.bootstrapToken.caCertHashes[0] has the wrong form "sha1:00": it must be sha256: and 64 hexadecimal digits',
      ],
    ],
    [
      'an invalid port',
      `discovery: { bootstrapToken: { token: ${DISCOVERY_TOKEN}, apiServerEndpoint: "a:70000", unsafeSkipCAVerification: true } }\n`,
      [
        '3:83: discovery.bootstrapToken.apiServerEndpoint has the wrong form "a:70000": it must be host:port, with a port from 1 to 65535',
      ],
    ],
    [
      'invalid names',
      `${DISCOVERY}nodeRegistration: { name: w_1, criSocket: tcp://x, imagePullPolicy: Sometimes }\ncaCertPath: /etc/ca.pem\n`,
      [
        '5:27: nodeRegistration.name has the wrong form "w_1": it must be a DNS name: lower-case letters, digits, - and .',
        '5:43: nodeRegistration.criSocket has the wrong form "tcp://x": it must be unix:// and an absolute path',
        '5:69: nodeRegistration.imagePullPolicy must be one of Always, IfNotPresent, Never',
        '6:13: caCertPath has the wrong form "/etc/ca.pem": it must be an absolute path that ends in .crt',
      ],
    ],
    [
      'characters of web pages, which are named',
      `${DISCOVERY}nodeRegistration:\n  name: \u201cw1\u201d\n  kubeletExtraArgs:\n  - { name: \u2013v, value: "2" }\n\u00a0dryRun: true\n`,
      [
        '6:9: nodeRegistration.name has the wrong form "\u201cw1\u201d": it must be a DNS name: lower-case letters, digits, - and .; it contains the character \u201c (quotation mark, U+201C): type it again',
        '8:13: nodeRegistration.kubeletExtraArgs: a name must be an argument without its dashes; it contains the character \u2013 (en dash, U+2013): type it again',
        '9:1: unknown field; it contains the character U+00A0 (no-break space): type it again',
      ],
    ],
    [
      'a name with a character that does not show',
      `${DISCOVERY}nodeRegistration: { name: "w1\u200b" }\n`,
      [
        '5:27: nodeRegistration.name has the wrong form "w1 ": it must be a DNS name: lower-case letters, digits, - and .; it contains the character U+200B (zero-width space): type it again',
      ],
    ],
    [
      'a name that is too long',
      `${DISCOVERY}nodeRegistration: { name: ${'a'.repeat(254)} }\n`,
      ['5:27: nodeRegistration.name must have at most 253 characters'],
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
      'an empty hostname-override',
      `${DISCOVERY}nodeRegistration:\n  name: w1\n  kubeletExtraArgs:\n  - { name: hostname-override, value: " " }\n`,
      ['8:39: nodeRegistration.kubeletExtraArgs[0].value must be a DNS name: lower-case letters, digits, - and .'],
    ],
    [
      'all beside other checks',
      `${DISCOVERY}nodeRegistration:\n  ignorePreflightErrors: [Swap, ALL]\n`,
      ['6:26: nodeRegistration.ignorePreflightErrors contains all, which means every check: remove the other names'],
    ],
    [
      'invalid durations',
      `${DISCOVERY}timeouts:\n  discovery: 300\n  tlsBootstrap: 5 minutes\n  etcdAPICall: -1s\n  kubeletHealthCheck: 0s\n  kubernetesAPICall: "0"\n`,
      [
        '6:14: timeouts.discovery must be a string: it must be a duration with its unit, such as 5m0s',
        '7:17: timeouts.tlsBootstrap has the wrong form "5 minutes": it must be a duration with its unit, such as 5m0s',
        '8:16: timeouts.etcdAPICall has the wrong form "-1s": it must be a duration with its unit, such as 5m0s',
        '9:23: timeouts.kubeletHealthCheck must be more than 0s',
        '10:22: timeouts.kubernetesAPICall must be more than 0s',
      ],
    ],
    [
      'a boolean in quotes',
      `${DISCOVERY}dryRun: "yes"\n`,
      ['5:9: dryRun must be a boolean: write true or false, without quotes'],
    ],
    [
      'the fields of a control plane',
      `${DISCOVERY}controlPlane:\n  localAPIEndpoint: { advertiseAddress: cp2, bindPort: 70000 }\n` +
        `  certificateKey: ${SECRET}\n`,
      [
        '6:41: controlPlane.localAPIEndpoint.advertiseAddress must be an IP address',
        '6:56: controlPlane.localAPIEndpoint.bindPort must be a port from 1 to 65535',
        '7:19: controlPlane.certificateKey must be 64 hexadecimal digits, as kubeadm init phase upload-certs --upload-certs prints them',
      ],
    ],
    ['a duplicate field', `${DISCOVERY}dryRun: true\ndryRun: false\n`, ['6:1: the key dryRun is duplicated']],
    [
      'everything at once, in the order of the file',
      'skipPhases: x\ncontrolPlane: {}\ndryRun: 1\n',
      [
        '1:1: discovery.bootstrapToken or discovery.file is missing: it decides which cluster to trust',
        '3:13: skipPhases must be an array',
        '5:9: dryRun must be a boolean',
      ],
    ],
  ])('v1beta4 is refused with its place: %s', async (_, lines, problems) => {
    expect(await problemsOf(HEAD + lines)).toEqual(problems);
  });

  test.each<[string, string, string[]]>([
    ['no discovery', '', ['1:1: token or discoveryFile is missing: it decides which cluster to trust']],
    [
      'both ways',
      `discoveryToken: ${DISCOVERY_TOKEN}\ndiscoveryFile: /a\n`,
      ['4:16: discoveryFile and discoveryToken cannot be combined'],
    ],
    [
      'no server and no pin',
      `token: ${DISCOVERY_TOKEN}\n`,
      [
        '1:1: discoveryTokenAPIServers is missing',
        '1:1: the CA key must be pinned: discoveryTokenCACertHashes (kubeadm token create --print-join-command prints it), or discoveryTokenUnsafeSkipCAVerification: true',
      ],
    ],
    [
      'invalid servers',
      `token: ${DISCOVERY_TOKEN}\ndiscoveryTokenAPIServers: [a, "b:0", "c:1"]\ndiscoveryTokenUnsafeSkipCAVerification: true\n`,
      [
        '4:28: discoveryTokenAPIServers[0] has the wrong form "a": it must be host:port, with a port from 1 to 65535',
        '4:31: discoveryTokenAPIServers[1] has the wrong form "b:0": it must be host:port, with a port from 1 to 65535',
      ],
    ],
    [
      'pins beside a file',
      `discoveryFile: /a\ndiscoveryTokenCACertHashes: [${PIN}]\n`,
      ['4:29: discoveryTokenCACertHashes only applies to discovery by a token'],
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
    expect(problems.at(-1)).toBe('105:1: 50 more problems');
  });
});
