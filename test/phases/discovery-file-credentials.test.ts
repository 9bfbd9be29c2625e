import { describe, expect, test } from 'vitest';
import { generateKeyPem } from '../../engine/pki/index.ts';
import { isSecret } from '../../engine/sdk/index.ts';
import { type MemoryHost, memoryHost } from '../../engine/testing/memory-host.ts';
import { SERVER, TOKEN } from '../helpers/cluster.ts';
import {
  API,
  base64,
  ca,
  certified,
  client,
  credential,
  discover,
  discovered,
  exec,
  FILE,
  identities,
  kubeconfig,
  machineOf,
  minimal,
  outputsOf,
  PLUGIN,
  printing,
  SECRET,
  SIGNAL,
  WEB,
} from '../helpers/discovery-file.ts';
import { printedForms } from '../helpers/errors.ts';

describe('the credentials of a discovery file', () => {
  const files = { '/etc/client.crt': client.pem, '/etc/client.key': client.keyPem, '/etc/token': ` ${SECRET}\n` };
  const byCertificate = { clientCertificate: client.pem, clientKey: client.keyPem };

  test.each<[string, string, object]>([
    ['a token', `{ token: ${SECRET} }`, { token: SECRET }],
    ['a certificate', certified, byCertificate],
    ['a certificate in files', '{ client-certificate: client.crt, client-key: /etc/client.key }', byCertificate],
    ['a file with a token', '{ tokenFile: token }', { token: SECRET }],
    ['a file with a token, and a token', '{ tokenFile: token, token: other }', { token: SECRET }],
  ])('discovery-file uses the user of the current context, with %s', async (_, user, expected) => {
    const host = memoryHost(machineOf(kubeconfig({ user }), { files }));
    const outcome = await discover(host);
    expect(outcome.error).toBeUndefined();
    expect(outputsOf(outcome)).toEqual(discovered({ server: SERVER, ca: ca.pem, ...expected }));
    const certificate = { pem: client.pem, key: client.keyPem };
    const as = 'token' in expected ? expected : { certificate };
    expect(identities(host)).toEqual([{ server: SERVER, ca: ca.pem, ...as }]);
  });

  test.each<[string, object, string]>([
    ['the token', { token: TOKEN }, TOKEN],
    ['the token of the TLS bootstrap', { tlsBootstrapToken: TOKEN }, TOKEN],
    [
      'the token of the TLS bootstrap before the other',
      { token: 'aaaaaa.0000000000000000', tlsBootstrapToken: TOKEN },
      TOKEN,
    ],
  ])('%s overrides the credentials of a discovery file', async (_, inputs, token) => {
    const outcome = await discover(
      memoryHost(machineOf(kubeconfig({ user: certified }))),
      inputs as Record<string, unknown>,
    );
    expect(outputsOf(outcome)).toEqual(discovered({ server: SERVER, ca: ca.pem, token }));
  });

  test('discovery-file fails if neither the file nor a flag has credentials', async () => {
    for (const text of [minimal, kubeconfig(), kubeconfig({ user: '{ exec: null, token: "" }' })])
      expect((await discover(memoryHost(machineOf(text)))).error).toMatchObject({
        code: 'E_DISCOVERY_CREDENTIALS',
        facts: { file: FILE },
        exitCode: 2,
      });
  });

  test.each<[string, string, string]>([
    [
      'a certificate without its key',
      `{ client-certificate-data: ${base64(client.pem)} }`,
      'a certificate without a key, or a key without a certificate',
    ],
    [
      'a key without its certificate',
      `{ client-key-data: ${base64(client.keyPem)} }`,
      'a certificate without a key, or a key without a certificate',
    ],
    [
      'a key of another certificate',
      `{ client-certificate-data: ${base64(client.pem)}, client-key-data: ${base64(generateKeyPem())} }`,
      'its client certificate cannot be read, or its key does not match',
    ],
    [
      'no certificate at all',
      `{ client-certificate-data: ${base64('x')}, client-key-data: ${base64('y')} }`,
      'cannot be read',
    ],
    [
      'a missing certificate file',
      '{ client-certificate: no.crt, client-key: no.key }',
      'it refers to /etc/no.crt, which does not exist',
    ],
    ['a token with two lines', '{ token: "a\\nb" }', 'its token is empty or contains invalid characters'],
    ['a file with an empty token', '{ tokenFile: /etc/empty }', 'its token is empty or contains invalid characters'],
    ['a password', '{ username: admin, password: x }', 'credentials that API servers no longer accept'],
    ['an auth-provider', '{ auth-provider: { name: gcp } }', 'credentials that API servers no longer accept'],
  ])('discovery-file refuses a user with %s, before any request', async (_, user, what) => {
    const host = memoryHost(machineOf(kubeconfig({ user }), { files: { '/etc/empty': '\n' } }));
    const { error } = await discover(host);
    expect(error).toMatchObject({ code: 'E_DISCOVERY_FILE', facts: { what: expect.stringContaining(what) } });
    expect(printedForms(error)).not.toContain(client.keyPem.split('\n')[1]);
    expect(host.sent).toEqual([]);
  });
});

describe('an exec plugin', () => {
  const withPlugin = (stdout: string, { more = '', exitCode = 0, stderr = '' } = {}) =>
    discover(memoryHost(machineOf(kubeconfig({ user: exec(more) }), printing(stdout, exitCode, stderr))));

  test.each<[string, object, object]>([
    ['a token', { token: SECRET }, { token: SECRET }],
    [
      'a certificate',
      { clientCertificateData: client.pem, clientKeyData: client.keyPem },
      { clientCertificate: client.pem, clientKey: client.keyPem },
    ],
  ])('discovery-file outputs %s of an exec plugin as a secret', async (_, status, expected) => {
    const outcome = await withPlugin(credential(status));
    expect(outcome.error).toBeUndefined();
    expect(outputsOf(outcome)).toEqual(discovered({ server: SERVER, ca: ca.pem, ...expected }));
    const outputs = outcome.result.steps[0]?.outputs as { identity?: { token?: unknown; clientKey?: unknown } };
    const { token, clientKey } = outputs?.identity ?? {};
    expect(isSecret(token ?? clientKey)).toBe(true);
  });

  test('discovery-file passes KUBERNETES_EXEC_INFO and the variables of the file to an exec plugin', async () => {
    const asked: unknown[] = [];
    const user = exec(', env: [{ name: PROFILE, value: prod }]');
    const host = memoryHost(machineOf(kubeconfig({ user }), printing(credential({ token: SECRET }))));
    const read = host.read;
    host.read = (query, signal) => {
      if (query.kind === 'output') asked.push(query);
      return read.call(host, query, signal) as never;
    };
    await discover(host);
    expect(asked).toEqual([
      {
        kind: 'output',
        argv: [PLUGIN, 'get', 'token'],
        environment: {
          PROFILE: 'prod',
          KUBERNETES_EXEC_INFO: JSON.stringify({
            apiVersion: API,
            kind: 'ExecCredential',
            spec: { interactive: false },
          }),
        },
      },
    ]);
  });

  test.each<[string, string, object, string]>([
    ['fails', 'x', { exitCode: 3, stderr: 'no\u001b[31m login' }, `${PLUGIN} exited with 3: no [31m login`],
    ['does not print JSON', `token ${SECRET}`, {}, `the output of ${PLUGIN} is not JSON`],
    ['prints null', 'null', {}, `the output of ${PLUGIN} is not an ExecCredential of ${API}`],
    [
      'prints another kind',
      JSON.stringify({ apiVersion: API, kind: 'Pod', status: { token: SECRET } }),
      {},
      'is not an ExecCredential',
    ],
    [
      'prints another version',
      credential({ token: SECRET }, 'client.authentication.k8s.io/v1beta1'),
      {},
      'is not an ExecCredential',
    ],
    [
      'prints no credentials',
      credential({}),
      {},
      `the output of ${PLUGIN} has neither a token nor a certificate with its key`,
    ],
    ['prints an empty token', credential({ token: '' }), {}, 'its token is empty or contains invalid characters'],
    [
      'prints a certificate without a key',
      credential({ clientCertificateData: client.pem }),
      {},
      'neither a token nor a certificate',
    ],
  ])('discovery-file reports that an exec plugin %s, without its output', async (_, stdout, more, what) => {
    const { error } = await withPlugin(stdout, more);
    expect(error).toMatchObject({ code: 'E_DISCOVERY_FILE', facts: { what: expect.stringContaining(what) } });
    expect(printedForms(error)).not.toContain(SECRET);
  });

  test.each<[string, string, string]>([
    [
      'has no absolute path',
      `{ exec: { apiVersion: ${API}, command: aws } }`,
      'its exec command is not an absolute path',
    ],
    ['has no command', `{ exec: { apiVersion: ${API} } }`, 'its exec command is not an absolute path'],
    ['is not a mapping', '{ exec: yes please }', 'its exec command is not an absolute path'],
    [
      'has an old version',
      `{ exec: { apiVersion: client.authentication.k8s.io/v1alpha1, command: ${PLUGIN} } }`,
      'its exec apiVersion is not',
    ],
    [
      'has arguments that are not strings',
      `{ exec: { apiVersion: ${API}, command: ${PLUGIN}, args: [{ toString: 1 }] } }`,
      'its exec args are not a list of strings',
    ],
    [
      'has an env without values',
      `{ exec: { apiVersion: ${API}, command: ${PLUGIN}, env: [{ name: A }] } }`,
      'its exec env is not a list of names and values',
    ],
  ])('discovery-file does not run an exec plugin that %s', async (_, user, what) => {
    const { error } = await discover(memoryHost(machineOf(kubeconfig({ user }))));
    expect(error).toMatchObject({ code: 'E_DISCOVERY_FILE', facts: { what: expect.stringContaining(what) } });
  });
});

describe('exec plugins and token files', () => {
  const root = { uid: 0, gid: 0 };
  const user = { uid: 1000, gid: 1000 };
  const content = (text: string, mode = 0o600, owner = root) =>
    ({ kind: 'file', path: FILE, content: Buffer.from(text), mode, secret: false, owner }) as const;
  const folder = (path: string, mode: number, owner = root) => ({ kind: 'directory', path, mode, owner }) as const;
  const kinds: [string, string][] = [
    [exec(), 'it names a program to run (exec), but users other than root can write the file'],
    ['{ tokenFile: /etc/token }', 'it names a token file, but users other than root can write the discovery file'],
  ];
  const machine = (text: string) => ({
    ...machineOf(text, printing(credential({ token: SECRET }))),
    files: { '/etc/token': SECRET, [FILE]: text },
  });

  test.each<[string, (text: string) => Parameters<MemoryHost['apply']>[0]]>([
    ['it belongs to a user', (text) => content(text, 0o600, user)],
    ['a group may write to it', (text) => content(text, 0o660)],
    ['others may write to it', (text) => content(text, 0o602)],
    ['its directory belongs to a user', () => folder('/etc', 0o755, user)],
    ['other users may write to its directory', () => folder('/etc', 0o777)],
    ['the directory above belongs to a user', () => folder('/', 0o755, user)],
    ['it is a link', () => ({ kind: 'link', path: FILE, target: '/root.conf' })],
  ])('discovery-file refuses exec and tokenFile if %s', async (_, change) => {
    for (const [user, what] of kinds) {
      const text = kubeconfig({ user });
      const host = memoryHost({ ...machine(text), files: { ...machine(text).files, '/root.conf': text } });
      await host.apply(change(text), SIGNAL);
      const { error } = await discover(host);
      expect(error).toMatchObject({ code: 'E_DISCOVERY_FILE', facts: { file: FILE, what }, exitCode: 12 });
      expect(host.sent).toEqual([]);
    }
  });

  test('discovery-file refuses exec if the directory of the file is a link', async () => {
    const host = memoryHost(machine(kubeconfig({ user: exec() })));
    await host.apply({ kind: 'link', path: '/etc', target: '/real' }, SIGNAL);
    expect((await discover(host)).error).toMatchObject({ code: 'E_DISCOVERY_FILE' });
  });

  test.each<[string, Parameters<MemoryHost['apply']>[0][]]>([
    ['only root may read it', []],
    ['all users may read it', [folder('/', 0o755), folder('/etc', 0o755)]],
    ['its directory is sticky', [folder('/etc', 0o1777)]],
  ])('discovery-file allows exec and tokenFile if %s', async (_, changes) => {
    for (const [user] of kinds) {
      const host = memoryHost(machine(kubeconfig({ user })));
      for (const change of changes) await host.apply(change, SIGNAL);
      expect(outputsOf(await discover(host))).toMatchObject({ identity: { token: SECRET } });
    }
  });

  test.each<[string, string]>([
    ...kinds,
    [
      '{ client-certificate: /etc/c.crt, client-key: /etc/c.key }',
      'it refers to the file /etc/c.crt, and a file from the web must not refer to local files',
    ],
  ])('discovery-file refuses local references in a file from the web: %s', async (user, what) => {
    const host = memoryHost(machine(kubeconfig({ user })));
    const { error } = await discover(host, { discoveryFile: WEB });
    expect(error).toMatchObject({ code: 'E_DISCOVERY_FILE', facts: { file: WEB, what } });
  });

  test('discovery-file refuses a CA file in a discovery file from the web', async () => {
    const text = kubeconfig({ cluster: `{ server: "${SERVER}", certificate-authority: /etc/pki/ca.crt }` });
    const { error } = await discover(memoryHost(machineOf(text)), { discoveryFile: WEB });
    expect(error).toMatchObject({
      facts: { what: 'it refers to the file /etc/pki/ca.crt, and a file from the web must not refer to local files' },
    });
  });
});
