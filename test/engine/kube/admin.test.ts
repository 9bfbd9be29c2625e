import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { readAdmin } from '../../../engine/kube/admin.ts';
import { authority, issue, SERVER } from '../../helpers/cluster.ts';
import { joinErrorOf, printedForms } from '../../helpers/errors.ts';

const ca = authority();
const { pem, keyPem } = issue(ca, { user: 'kubernetes-admin', groups: ['system:masters'] });
const base64 = (text: string) => Buffer.from(text).toString('base64');

const CLUSTER = { server: SERVER, 'certificate-authority-data': base64(ca.pem) };
const CERTIFICATE = { 'client-certificate-data': base64(pem), 'client-key-data': base64(keyPem) };

interface Parts {
  cluster?: object;
  user?: object;
  root?: object;
}

const kubeconfig = ({ cluster = CLUSTER, user = CERTIFICATE, root = {} }: Parts = {}): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'other', cluster: { server: 'https://other.example:6443' } },
      { name: 'c', cluster },
    ],
    users: [
      { name: 'nobody', user: {} },
      { name: 'u', user },
    ],
    contexts: [
      { name: 'elsewhere', context: { cluster: 'other', user: 'nobody' } },
      { name: 'here', context: { cluster: 'c', user: 'u' } },
    ],
    'current-context': 'here',
    ...root,
  });

/** What the file at /home/me/admin.conf says; `files` are the others there are. */
const adminOf = (parts: Parts = {}, files: Record<string, string> = {}) =>
  readAdmin('/home/me/admin.conf', async (path) => {
    const text = { '/home/me/admin.conf': kubeconfig(parts), ...files }[path];
    if (text === undefined) throw new Error(`ENOENT ${path}`);
    return text;
  });

describe('the identity in a kubeconfig', () => {
  test('the identity is that of the current context, by a client certificate', async () => {
    const { certificate, ...admin } = await adminOf();
    expect(admin).toEqual({ file: '/home/me/admin.conf', server: SERVER, ca: ca.pem });
    expect([certificate?.pem, certificate?.key.reveal()]).toEqual([pem, keyPem]);
  });

  test('the identity is read from files relative to the kubeconfig', async () => {
    const admin = await adminOf(
      {
        cluster: { server: `${SERVER}/`, 'certificate-authority': 'pki/ca.crt' },
        user: { 'client-certificate': '/abs/me.crt', 'client-key': '../me.key' },
      },
      { '/home/me/pki/ca.crt': ca.pem, '/abs/me.crt': pem, '/home/me.key': keyPem },
    );
    expect(admin).toMatchObject({ server: SERVER, ca: ca.pem, certificate: { pem } });
    expect(admin.certificate?.key.reveal()).toBe(keyPem);
  });

  test('data win over a file, and a token file wins over a token', async () => {
    const files = { '/home/me/token': ' fresh\n' };
    const named = { 'certificate-authority': 'absent', ...CLUSTER };
    const admin = await adminOf({ cluster: named, user: { token: 'stale', tokenFile: 'token' } }, files);
    expect([admin.ca, admin.token?.reveal(), admin.certificate]).toEqual([ca.pem, 'fresh', undefined]);
    expect((await adminOf({ user: { token: 'abc', ...CERTIFICATE } })).token?.reveal()).toBe('abc');
  });

  test('a kubeconfig may set insecure-skip-tls-verify to false', async () => {
    const cluster = { ...CLUSTER, 'insecure-skip-tls-verify': false, 'proxy-url': '' };
    expect(await adminOf({ cluster })).toMatchObject({ server: SERVER });
  });

  test.each<[what: string, parts: Parts, says: string]>([
    [
      'no current context',
      { root: { 'current-context': '' } },
      'it has no current-context (contexts: elsewhere, here)',
    ],
    [
      'an unknown context',
      { root: { 'current-context': 'prod' } },
      'its current-context is prod, which does not exist (contexts: elsewhere, here)',
    ],
    [
      'no contexts at all',
      { root: { contexts: null } },
      'its current-context is here, which does not exist (contexts: none)',
    ],
    ['an unknown cluster', { root: { clusters: null } }, 'its cluster "c" does not exist'],
    ['an unknown user', { root: { users: [] } }, 'it names a user "u" that does not exist'],
    [
      'plain HTTP',
      { cluster: { ...CLUSTER, server: 'http://a:80' } },
      'its server http://a:80 is not https://host:port',
    ],
    [
      'a path',
      { cluster: { ...CLUSTER, server: 'https://a/k8s/c' } },
      'server https://a/k8s/c is not https://host:port',
    ],
    [
      'no verification',
      { cluster: { ...CLUSTER, 'insecure-skip-tls-verify': true } },
      'it sets insecure-skip-tls-verify, which is not supported',
    ],
    ['a proxy', { cluster: { ...CLUSTER, 'proxy-url': 'http://p' } }, 'it sets proxy-url, which is not supported'],
    ['no CA', { cluster: { server: SERVER } }, 'its cluster has no CA certificate'],
    ['a plugin', { user: { exec: { command: 'aws' } } }, 'it sets exec, which is not supported'],
    ['another user', { user: { ...CERTIFICATE, as: 'root' } }, 'it sets as, which is not supported'],
    ['no credentials', { user: {} }, 'its user has no client certificate and no token'],
    ['a token of two words', { user: { token: 'a b' } }, 'the token of its user is not a single word'],
    [
      "another certificate's key",
      { user: { ...CERTIFICATE, 'client-key-data': base64(issue(ca).keyPem) } },
      'the client certificate and the client key of its user do not match',
    ],
    ['a file that is not there', { user: { ...CERTIFICATE, tokenFile: 'gone' } }, 'ENOENT /home/me/gone'],
    ['no mapping', { root: { users: 'me' } }, 'users is not a list'],
  ])('a kubeconfig with %s is refused', async (_, parts, says) => {
    const error = await joinErrorOf(() => adminOf(parts));
    expect(error.code).toBe('E_KUBECONFIG');
    expect(error.message).toContain(says);
  });

  test('an error about a kubeconfig shows no secret', async () => {
    const [line = ''] = /[^\n]{60,}/.exec(keyPem) ?? [];
    expect(line).not.toBe('');
    const admin = await adminOf({ user: { ...CERTIFICATE, token: 'canary-1' } });
    const error = await joinErrorOf(() => adminOf({ user: { ...CERTIFICATE, token: 'canary 1' } }));
    for (const hidden of [line, base64(keyPem), 'canary']) {
      expect(printedForms(admin)).not.toContain(hidden);
      expect(printedForms(error)).not.toContain(hidden);
    }
  });
});
