import { describe, expect, test } from 'vitest';
import { apiVersionOf, VERSIONS } from '../../../engine/kubeadm/versions.ts';
import { examples, meanings } from '../../helpers/kubeadm.ts';
import { DISCOVERY, HEAD, load, OLD, OLD_DISCOVERY, problemsOf, settingsOf, warningsOf } from './configuration.ts';

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
      '1:1: the ClusterConfiguration is ignored: it does not configure joining',
      '7:1: the KubeletConfiguration is ignored: it does not configure joining',
    ]);
  });

  test('a duplicate key in a document that is ignored does not refuse the file', () => {
    const duplicate = others.replace('kind: KubeletConfiguration', '$&\nmaxPods: 1\nmaxPods: 2');
    expect(settingsOf(duplicate + examples.v1beta4)).toEqual(meanings.v1beta4);
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
      '6:1: the indentation does not match the lines above, or a bracket above is not closed',
    ],
    ['an unresolved alias', 'x: *a\n', '1:1: an alias (*name) is not valid here, or its anchor (&name) is missing'],
    ['a tag', 'x: !!binary aGk=\n', '5:4: the tag (!name) is unknown, or does not fit its value'],
    ['a key that is a number', '5: x\n', '5:1: unknown field'],
  ])('%s is reported as a problem at its place in the file', async (_, lines, problem) => {
    expect(await problemsOf(HEAD + DISCOVERY + lines)).toEqual([problem]);
  });

  test('an alias bomb is refused', async () => {
    const row = (name: string, of: string) => `${name}: &${name} [${Array(10).fill(of).join(',')}]\n`;
    const bomb = row('a', '1') + row('b', '*a') + row('c', '*b') + row('d', '*c');
    expect(await problemsOf(HEAD + bomb)).toEqual(['1:1: more than 100 aliases, or more with the aliases in them']);
  });

  test('a duplicate field has its last value in lenient mode', () => {
    const text = `${HEAD}${DISCOVERY}dryRun: false\ndryRun: true\n`;
    expect(warningsOf(text, true)).toEqual(['6:1: the key dryRun is duplicated']);
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
