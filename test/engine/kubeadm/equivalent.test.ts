import { describe, expect, test } from 'vitest';
import type { Version } from '../../../engine/kubeadm/versions.ts';
import { EXIT } from '../../../engine/sdk/index.ts';
import { joinErrorOf, printedForms } from '../../helpers/errors.ts';
import { DISCOVERY_TOKEN, examples, meanings, PIN, SECRET } from '../../helpers/kubeadm.ts';
import { DISCOVERY, HEAD, load, OLD, OLD_DISCOVERY, settingsOf } from './configuration.ts';

describe('a control-plane node', () => {
  const address = { advertiseAddress: '1.2.3.4', bindPort: 6443 };
  const none = { advertiseAddress: undefined, bindPort: undefined, certificateKey: undefined };
  const key = 'ab'.repeat(32);
  test.each<[Version, string, object]>([
    ['v1alpha3', examples.v1alpha3.replace('controlPlane: false', 'controlPlane: true'), { ...none, ...address }],
    ['v1beta1', `${examples.v1beta1}controlPlane: {}\n`, none],
    [
      'v1beta4',
      `${examples.v1beta4}controlPlane:\n  localAPIEndpoint: { advertiseAddress: 1.2.3.4, bindPort: 6443 }\n` +
        `  certificateKey: ${key}\n`,
      { ...address, certificateKey: key },
    ],
  ])(
    'a file of %s says how a control plane joins, in the same form for every version',
    (version, text, controlPlane) => {
      expect(settingsOf(text)).toEqual({ ...meanings[version], controlPlane });
    },
  );

  test('a certificate key is in no message and no output', async () => {
    const key = `${SECRET}${SECRET}`;
    const error = await joinErrorOf(() => load(`${examples.v1beta4}controlPlane: { certificateKey: ${key} }\n`));
    expect(error).toMatchObject({ code: 'E_CONFIG', exitCode: EXIT.pipeline });
    expect(printedForms(error)).not.toContain(SECRET);
  });

  test('a file with controlPlane: null is for a worker', () => {
    expect(settingsOf(`${examples.v1beta4}controlPlane:\n`)).toEqual(meanings.v1beta4);
  });
});

describe('what means the same', () => {
  test('empty texts and null mean the same as omission, and an empty list of taints means no taints', () => {
    const bare = settingsOf(HEAD + DISCOVERY);
    const empty = `nodeRegistration: { name: "", criSocket: , imagePullPolicy: "", taints: null }\ncaCertPath: ""\ntimeouts:\npatches: { directory: "" }\n`;
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
    const text = `${HEAD}discovery:\n  bootstrapToken: { token: &t ${DISCOVERY_TOKEN}, apiServerEndpoint: "a:1", unsafeSkipCAVerification: true }\n  tlsBootstrapToken: *t\n`;
    expect(settingsOf(text).tlsBootstrapToken).toBe(DISCOVERY_TOKEN);
  });

  test('Windows line ends and a byte order mark change nothing', () => {
    expect(settingsOf(`\ufeff${examples.v1beta4.replaceAll('\n', '\r\n')}`)).toEqual(meanings.v1beta4);
  });

  test('a YAML directive does not change the version of the language', async () => {
    const withDirective = `%YAML 1.2\n---\n${HEAD}${DISCOVERY}dryRun: yes\n`;
    expect(settingsOf(withDirective).dryRun).toBe(true);
  });
});
