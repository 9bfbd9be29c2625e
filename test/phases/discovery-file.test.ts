import { describe, expect, test } from 'vitest';
import { generateKeyPem } from '../../engine/pki/index.ts';
import type { ApiAnswer, ApiRequest } from '../../engine/sdk/api.ts';
import { fail, isSecret, revealSecrets } from '../../engine/sdk/index.ts';
import { type MemoryHost, type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import discoveryFile from '../../phases/discovery-file/index.ts';
import { authority, clusterInfo, clusterInfoKubeconfig, issue, NOW, SERVER, TOKEN } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { joinErrorOf, shownOf } from '../helpers/errors.ts';

const ca = authority();
const other = authority('other');
const client = issue(ca);
const base64 = (text: string) => Buffer.from(text).toString('base64');
const SECRET = 'canary0123456789';
const FILE = '/etc/cluster.conf';
const WEB = 'https://files.example/cluster.conf';
const PLUGIN = '/usr/local/bin/credentials';
const API = 'client.authentication.k8s.io/v1';
const SIGNAL = new AbortController().signal;

interface Parts {
  cluster?: string;
  user?: string;
  clusterName?: string;
  context?: string;
}

/** The kubeconfig of an admin, but for what is said of it. */
const kubeconfig = ({ cluster, user = '{}', clusterName = 'prod', context = 'admin@prod' }: Parts = {}): string =>
  `apiVersion: v1
kind: Config
current-context: ${context}
clusters: [{ name: "${clusterName}", cluster: ${cluster ?? `{ server: "${SERVER}", certificate-authority-data: ${base64(ca.pem)} }`} }]
users: [{ name: admin, user: ${user} }]
contexts: [{ name: admin@prod, context: { cluster: prod, user: admin } }]
`;
const minimal = clusterInfoKubeconfig(ca.pem);
const certified = `{ client-certificate-data: ${base64(client.pem)}, client-key-data: ${base64(client.keyPem)} }`;
const exec = (more = '') => `{ exec: { apiVersion: ${API}, command: ${PLUGIN}, args: [get, token]${more} } }`;
const credential = (status: object, apiVersion = API) => JSON.stringify({ apiVersion, kind: 'ExecCredential', status });
const printing = (stdout: string, exitCode = 0, stderr = '') => ({
  outputs: { [`${PLUGIN} get token`]: { stdout, exitCode, stderr } },
});

const answer = (data?: object, status = 200, clockSkewMs = 0): ApiAnswer => ({
  status,
  body: { metadata: { name: 'cluster-info' }, ...(data === undefined ? {} : { data }) },
  clockSkewMs,
});
const told = answer(clusterInfo(minimal));
const machineOf = (text: string, more: MemoryMachine = {}, first = told): MemoryMachine => ({
  now: () => NOW,
  files: { [FILE]: text, ...more.files },
  downloads: { [WEB]: text },
  roots: other.pem,
  send: () => first,
  ...Object.fromEntries(Object.entries(more).filter(([key]) => key !== 'files')),
});
const discover = (host: MemoryHost, given: Record<string, unknown> = {}) =>
  runPhase(discoveryFile, { discoveryFile: FILE, ...given }, host);
const outputsOf = ({ result }: Awaited<ReturnType<typeof discover>>) => revealSecrets(result.steps[0]?.outputs);
/** What a discovery outputs that has found this identity. */
const discovered = (identity: { server: string; ca: string; token?: string }) => ({
  identity,
  server: identity.server,
  ca: identity.ca,
});
const warnings = ({ result }: Awaited<ReturnType<typeof discover>>) =>
  result.steps[0]?.notes.flatMap(({ level, text }) => (level === 'warn' ? [text] : []));
const identities = (host: MemoryHost) => host.sent.map(({ as }: ApiRequest) => revealSecrets(as));

describe('with a user who has a token', () =>
  itKeepsThePhaseContract(discoveryFile, {
    input: { discoveryFile: FILE },
    machine: () => machineOf(kubeconfig({ user: `{ token: ${SECRET} }` })),
    secrets: [SECRET],
    changesNothing: true,
  }));
describe('with a user whose credentials a program gives', () =>
  itKeepsThePhaseContract(discoveryFile, {
    input: { discoveryFile: FILE },
    machine: () => machineOf(kubeconfig({ user: exec() }), printing(credential({ token: SECRET }))),
    secrets: [SECRET],
    changesNothing: true,
  }));
describe('with a file from the web and a bootstrap token', () =>
  itKeepsThePhaseContract(discoveryFile, {
    input: { discoveryFile: WEB, tlsBootstrapToken: TOKEN },
    machine: () => machineOf(minimal),
    secrets: [SECRET],
    changesNothing: true,
  }));

describe('what the file says of the cluster', () => {
  test.each([
    ['a path', FILE],
    ['a file:// address', `file://${FILE}`],
    ['an https:// address', WEB],
  ])('is taken from %s, and proven by the CA of the file', async (_, given) => {
    const host = memoryHost(machineOf(minimal));
    const outcome = await discover(host, { discoveryFile: given, token: TOKEN });
    expect(outcome.error).toBeUndefined();
    expect(identities(host)).toEqual([{ ca: ca.pem }]); // anonymous, as before a token is sent to anybody
    expect(outputsOf(outcome)).toEqual(discovered({ server: SERVER, ca: ca.pem, token: TOKEN }));
    expect(host.changes).toEqual([]);
  });

  test('what stands behind the question mark of an address is told nowhere', async () => {
    const signed = `${WEB}?signature=canary-of-an-address`;
    const host = memoryHost({ ...machineOf(''), downloads: { [signed]: 'clusters: []' } });
    const { error, result } = await discover(host, { discoveryFile: signed });
    expect(error).toMatchObject({ code: 'E_DISCOVERY_FILE', facts: { file: WEB } });
    expect(shownOf([error, result.steps[0]?.notes])).not.toContain('canary-of-an-address');
  });

  test('the cluster without a name comes before that of the current context', async () => {
    const both = `${kubeconfig({ cluster: '{ server: "https://other:6443" }' }).replace(
      'clusters: [',
      `clusters: [{ name: "", cluster: { server: "${SERVER}", certificate-authority-data: ${base64(ca.pem)} } }, `,
    )}`;
    const outcome = await discover(memoryHost(machineOf(both)), { token: TOKEN });
    expect(outputsOf(outcome)).toMatchObject({ server: SERVER });
  });

  test('a bundle of several certificates is trusted, and handed on, as a whole', async () => {
    const bundle = ca.pem + other.pem;
    const host = memoryHost(machineOf(clusterInfoKubeconfig(bundle)));
    const outcome = await discover(host, { token: TOKEN });
    expect(identities(host)).toEqual([{ ca: bundle }]);
    expect(outputsOf(outcome)).toMatchObject({ ca: bundle });
  });

  test.each([
    ['an absolute path', '/etc/pki/ca.crt', '/etc/pki/ca.crt'],
    ['a path relative to the file', 'pki/ca.crt', '/etc/pki/ca.crt'],
  ])('its CA may be a file of its own: %s', async (_, named, path) => {
    const text = kubeconfig({ cluster: `{ server: "${SERVER}", certificate-authority: ${named} }` });
    const outcome = await discover(memoryHost(machineOf(text, { files: { [path]: ca.pem } })), { token: TOKEN });
    expect(outputsOf(outcome)).toEqual(discovered({ server: SERVER, ca: ca.pem, token: TOKEN }));
  });

  test('a file without a CA is proven by the roots of this machine, and the cluster says which CA to trust', async () => {
    const host = memoryHost(machineOf(kubeconfig({ cluster: `{ server: "${SERVER}" }` })));
    const outcome = await discover(host, { token: TOKEN });
    expect(identities(host)).toEqual([{ ca: other.pem }]);
    expect(outputsOf(outcome)).toEqual(discovered({ server: SERVER, ca: ca.pem, token: TOKEN }));
  });

  test('what the cluster says of itself changes neither the server nor the CA of the file', async () => {
    const elsewhere = answer(clusterInfo(clusterInfoKubeconfig(other.pem, 'https://lb.example:443')));
    const outcome = await discover(memoryHost(machineOf(minimal, {}, elsewhere)), { token: TOKEN });
    expect(outputsOf(outcome)).toEqual(discovered({ server: SERVER, ca: ca.pem, token: TOKEN }));
    expect(warnings(outcome)).toEqual([
      'cluster-info names the server https://lb.example:443; using https://api.example:6443 from the discovery file',
    ]);
  });

  test('fields that no kubelet would be told of are named', async () => {
    const cluster = `{ server: "${SERVER}", certificate-authority-data: ${base64(ca.pem)}, proxy-url: "http://p:1", tls-server-name: x }`;
    const outcome = await discover(memoryHost(machineOf(kubeconfig({ cluster }))), { token: TOKEN });
    expect(warnings(outcome)).toEqual([
      '/etc/cluster.conf: ignoring proxy-url, because the kubelet would not get it',
      '/etc/cluster.conf: ignoring tls-server-name, because the kubelet would not get it',
    ]);
  });

  test('a cluster-info that is not for everybody is no obstacle: who refuses has shown the right certificate', async () => {
    for (const user of ['{}', `{ token: ${SECRET} }`]) {
      const outcome = await discover(memoryHost(machineOf(kubeconfig({ user }), {}, answer(undefined, 403))), {
        token: TOKEN,
      });
      expect(outputsOf(outcome)).toEqual(discovered({ server: SERVER, ca: ca.pem, token: TOKEN }));
      expect(warnings(outcome)).toEqual([
        'https://api.example:6443 does not allow this client to read cluster-info; trusting the discovery file alone',
      ]);
    }
  });

  const clusterOf = (fields: string) => kubeconfig({ cluster: `{ server: "${SERVER}", ${fields} }` });
  const serverOf = (server: string) => clusterInfoKubeconfig(ca.pem, server);
  test.each<[string, string, string]>([
    ['is no YAML', 'a: b: c', 'Nested mappings are not allowed in compact mappings'],
    ['is no mapping', '[]', 'the document is no mapping'],
    ['has no clusters', 'kind: Config', 'it has no cluster without a name, and no current context with a cluster'],
    [
      'has a current context that is not there',
      kubeconfig({ context: 'gone' }),
      'it has no cluster without a name, and no current context with a cluster',
    ],
    [
      'has a context whose cluster is not there',
      kubeconfig({ clusterName: 'other' }),
      'it has no cluster without a name, and no current context with a cluster',
    ],
    ['has a cluster without a server', kubeconfig({ cluster: '{}' }), 'a cluster has no server URL'],
    [
      'turns verification off',
      clusterOf('insecure-skip-tls-verify: true'),
      'it sets insecure-skip-tls-verify, so any server could pose as the cluster',
    ],
    ['has a server by http', serverOf('http://x:1'), 'its server http://x:1 is not https://host:port'],
    ['has a server with a path', serverOf('https://x:1/k8s'), 'its server https://x:1/k8s is not https://host:port'],
    [
      'has a CA twice',
      clusterOf(`certificate-authority: /ca.crt, certificate-authority-data: ${base64(ca.pem)}`),
      'it has both certificate-authority and certificate-authority-data',
    ],
    [
      'names a CA file that is not there',
      clusterOf('certificate-authority: /ca.crt'),
      'it refers to /ca.crt, which does not exist',
    ],
    [
      'has a CA that is none',
      clusterOf(`certificate-authority-data: ${base64('none')}`),
      'its CA data contains no certificate',
    ],
    [
      'has a CA bundle of which one is damaged',
      clusterOf(
        `certificate-authority-data: ${base64(`${ca.pem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`)}`,
      ),
      'its CA data contains no certificate',
    ],
  ])('is refused where it %s, before anybody is asked', async (_, text, what) => {
    const host = memoryHost(machineOf(text));
    const { error } = await discover(host, { token: TOKEN });
    expect(error).toMatchObject({ code: 'E_DISCOVERY_FILE', exitCode: 12, transient: false });
    expect(error).toMatchObject({ facts: { file: FILE, what: expect.stringContaining(what) } });
    expect(host.sent).toEqual([]);
  });

  test('a file that is not there is named', async () => {
    const { error } = await discover(memoryHost(machineOf(minimal)), { discoveryFile: '/no.conf' });
    expect(error).toMatchObject({
      code: 'E_DISCOVERY_FILE',
      facts: { file: '/no.conf', what: 'the file does not exist' },
    });
  });

  test('a file without a CA is of no use where this machine trusts nobody, or the cluster says none either', async () => {
    const without = kubeconfig({ cluster: `{ server: "${SERVER}" }` });
    const nobody = memoryHost(machineOf(without, { roots: '' }));
    expect((await discover(nobody, { token: TOKEN })).error).toMatchObject({
      facts: { what: 'it has no CA, and this machine has no trusted CA certificates' },
    });
    expect(nobody.sent).toEqual([]);
    for (const first of [
      answer({}),
      answer({ kubeconfig: 'a: b: c' }),
      answer(undefined, 403),
      answer({ kubeconfig: 'clusters: []' }),
    ])
      expect((await discover(memoryHost(machineOf(without, {}, first)), { token: TOKEN })).error).toMatchObject({
        code: 'E_DISCOVERY_FILE',
        facts: { what: 'neither the file nor cluster-info has a CA certificate' },
      });
  });

  test.each<[number, string, object]>([
    [401, '{}', { code: 'E_CLUSTER_INFO_MISSING', facts: { server: SERVER, status: 401 }, exitCode: 5 }],
    [401, `{ token: ${SECRET} }`, { code: 'E_API_UNAUTHORIZED', exitCode: 5 }],
    [404, '{}', { code: 'E_CLUSTER_INFO_MISSING', facts: { server: SERVER, status: 404 } }],
    [404, `{ token: ${SECRET} }`, { code: 'E_CLUSTER_INFO_MISSING', facts: { server: SERVER, status: 404 } }],
    [503, '{}', { code: 'E_API_UNAVAILABLE', transient: true }],
  ])('a server that answers %s to a user %s is not joined', async (status, user, expected) => {
    const { error } = await discover(memoryHost(machineOf(kubeconfig({ user }), {}, answer(undefined, status))), {
      token: TOKEN,
    });
    expect(error).toMatchObject(expected);
    expect(shownOf(error)).not.toContain(SECRET);
  });

  test('a clock that differs by two minutes is told', async () => {
    const late = answer(clusterInfo(minimal), 200, 120_000);
    expect((await discover(memoryHost(machineOf(minimal, {}, late)), { token: TOKEN })).error).toMatchObject({
      code: 'E_CLOCK_SKEW',
      facts: { server: SERVER, skewSeconds: 120 },
    });
  });
});

describe('who asks for the certificate', () => {
  const files = { '/etc/client.crt': client.pem, '/etc/client.key': client.keyPem, '/etc/token': ` ${SECRET}\n` };
  const byCertificate = { clientCertificate: client.pem, clientKey: client.keyPem };

  test.each<[string, string, object]>([
    ['a token', `{ token: ${SECRET} }`, { token: SECRET }],
    ['a certificate', certified, byCertificate],
    ['a certificate in files', '{ client-certificate: client.crt, client-key: /etc/client.key }', byCertificate],
    ['a file with a token', '{ tokenFile: token }', { token: SECRET }],
    ['a file with a token, and a token', '{ tokenFile: token, token: other }', { token: SECRET }],
  ])('is the user of the current context, by %s', async (_, user, expected) => {
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
  ])('%s beats the credentials of the file', async (_, given, token) => {
    const outcome = await discover(
      memoryHost(machineOf(kubeconfig({ user: certified }))),
      given as Record<string, unknown>,
    );
    expect(outputsOf(outcome)).toEqual(discovered({ server: SERVER, ca: ca.pem, token }));
  });

  test('nobody, where neither the file nor a flag says so', async () => {
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
      'a certificate file that is not there',
      '{ client-certificate: no.crt, client-key: no.key }',
      'it refers to /etc/no.crt, which does not exist',
    ],
    ['a token of two lines', '{ token: "a\\nb" }', 'its token is empty or contains invalid characters'],
    ['a file with an empty token', '{ tokenFile: /etc/empty }', 'its token is empty or contains invalid characters'],
    ['a password', '{ username: admin, password: x }', 'credentials that API servers no longer accept'],
    ['an auth-provider', '{ auth-provider: { name: gcp } }', 'credentials that API servers no longer accept'],
  ])('is refused with %s, before anybody is asked', async (_, user, what) => {
    const host = memoryHost(machineOf(kubeconfig({ user }), { files: { '/etc/empty': '\n' } }));
    const { error } = await discover(host);
    expect(error).toMatchObject({ code: 'E_DISCOVERY_FILE', facts: { what: expect.stringContaining(what) } });
    expect(shownOf(error)).not.toContain(client.keyPem.split('\n')[1]);
    expect(host.sent).toEqual([]);
  });
});

describe('a program that gives credentials', () => {
  const withPlugin = (stdout: string, { more = '', exitCode = 0, stderr = '' } = {}) =>
    discover(memoryHost(machineOf(kubeconfig({ user: exec(more) }), printing(stdout, exitCode, stderr))));

  test.each<[string, object, object]>([
    ['a token', { token: SECRET }, { token: SECRET }],
    [
      'a certificate',
      { clientCertificateData: client.pem, clientKeyData: client.keyPem },
      { clientCertificate: client.pem, clientKey: client.keyPem },
    ],
  ])('may give %s, as a secret', async (_, status, expected) => {
    const outcome = await withPlugin(credential(status));
    expect(outcome.error).toBeUndefined();
    expect(outputsOf(outcome)).toEqual(discovered({ server: SERVER, ca: ca.pem, ...expected }));
    const outputs = outcome.result.steps[0]?.outputs as { identity?: { token?: unknown; clientKey?: unknown } };
    const { token, clientKey } = outputs?.identity ?? {};
    expect(isSecret(token ?? clientKey)).toBe(true);
  });

  test('is told by its environment what is wanted of it, beside what the file has for it', async () => {
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
    ['prints no JSON', `token ${SECRET}`, {}, `the output of ${PLUGIN} is not JSON`],
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
    ['gives nothing', credential({}), {}, `the output of ${PLUGIN} has neither a token nor a certificate with its key`],
    ['gives an empty token', credential({ token: '' }), {}, 'its token is empty or contains invalid characters'],
    [
      'gives half a certificate',
      credential({ clientCertificateData: client.pem }),
      {},
      'neither a token nor a certificate',
    ],
  ])('that %s is told, and what it printed is not', async (_, stdout, more, what) => {
    const { error } = await withPlugin(stdout, more);
    expect(error).toMatchObject({ code: 'E_DISCOVERY_FILE', facts: { what: expect.stringContaining(what) } });
    expect(shownOf(error)).not.toContain(SECRET);
  });

  test.each<[string, string, string]>([
    [
      'is looked for on the PATH',
      `{ exec: { apiVersion: ${API}, command: aws } }`,
      'its exec command is not an absolute path',
    ],
    ['has no command', `{ exec: { apiVersion: ${API} } }`, 'its exec command is not an absolute path'],
    ['is no mapping', '{ exec: yes please }', 'its exec command is not an absolute path'],
    [
      'has an old version',
      `{ exec: { apiVersion: client.authentication.k8s.io/v1alpha1, command: ${PLUGIN} } }`,
      'its exec apiVersion is not',
    ],
    [
      'has args that are no texts',
      `{ exec: { apiVersion: ${API}, command: ${PLUGIN}, args: [{ toString: 1 }] } }`,
      'its exec args are not a list of strings',
    ],
    [
      'has an env without values',
      `{ exec: { apiVersion: ${API}, command: ${PLUGIN}, env: [{ name: A }] } }`,
      'its exec env is not a list of names and values',
    ],
  ])('is not run where it %s', async (_, user, what) => {
    const { error } = await discover(memoryHost(machineOf(kubeconfig({ user }))));
    expect(error).toMatchObject({ code: 'E_DISCOVERY_FILE', facts: { what: expect.stringContaining(what) } });
  });
});

describe('programs, and files with tokens, are for files that only root can have written', () => {
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
    ['a user may exchange it in its directory', () => folder('/etc', 0o755, user)],
    ['others may exchange it in its directory', () => folder('/etc', 0o777)],
    ['the directory above belongs to a user', () => folder('/', 0o755, user)],
    ['it is a link', () => ({ kind: 'link', path: FILE, target: '/root.conf' })],
  ])('not where %s', async (_, change) => {
    for (const [given, what] of kinds) {
      const text = kubeconfig({ user: given });
      const host = memoryHost({ ...machine(text), files: { ...machine(text).files, '/root.conf': text } });
      await host.apply(change(text), SIGNAL);
      const { error } = await discover(host);
      expect(error).toMatchObject({ code: 'E_DISCOVERY_FILE', facts: { file: FILE, what }, exitCode: 12 });
      expect(host.sent).toEqual([]);
    }
  });

  test('not where its directory is a link that somebody may have placed', async () => {
    const host = memoryHost(machine(kubeconfig({ user: exec() })));
    await host.apply({ kind: 'link', path: '/etc', target: '/real' }, SIGNAL);
    expect((await discover(host)).error).toMatchObject({ code: 'E_DISCOVERY_FILE' });
  });

  test.each<[string, Parameters<MemoryHost['apply']>[0][]]>([
    ['only root may read it', []],
    ['everybody may read it', [folder('/', 0o755), folder('/etc', 0o755)]],
    ['its directory is sticky', [folder('/etc', 0o1777)]],
  ])('but where %s', async (_, changes) => {
    for (const [given] of kinds) {
      const host = memoryHost(machine(kubeconfig({ user: given })));
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
  ])('never where the file came from the web: %s', async (given, what) => {
    const host = memoryHost(machine(kubeconfig({ user: given })));
    const { error } = await discover(host, { discoveryFile: WEB });
    expect(error).toMatchObject({ code: 'E_DISCOVERY_FILE', facts: { file: WEB, what } });
  });

  test('a file from the web names no CA file of this machine either', async () => {
    const text = kubeconfig({ cluster: `{ server: "${SERVER}", certificate-authority: /etc/pki/ca.crt }` });
    const { error } = await discover(memoryHost(machineOf(text)), { discoveryFile: WEB });
    expect(error).toMatchObject({
      facts: { what: 'it refers to the file /etc/pki/ca.crt, and a file from the web must not refer to local files' },
    });
  });
});

describe('the address of the file', () => {
  test.each(['http://files.example/x', 'ftp://x', 'cluster.conf', 'file://host/x', 'HTTP://x', ''])(
    'is refused before anything is read: %j',
    async (given) => {
      const error = await joinErrorOf(() => discover(memoryHost(machineOf(minimal)), { discoveryFile: given }));
      expect([error.code, error.message]).toEqual([
        'E_INPUT',
        `--discovery-file has the wrong form "${given}": it must be a path, a file:/// or an https:// address`,
      ]);
    },
  );

  test.each<[string, object, string]>([
    [
      'a token of the other way',
      { discoveryToken: TOKEN },
      '--discovery-file and --discovery-token exclude each other: pass one of them',
    ],
    [
      'pins',
      { discoveryTokenCaCertHash: [ca.pin] },
      '--discovery-token-ca-cert-hash is for discovery by token: a --discovery-file has its own CA',
    ],
  ])('does not stand beside %s', async (_, given, text) => {
    const error = await joinErrorOf(() => discover(memoryHost(machineOf(minimal)), given as Record<string, unknown>));
    expect([error.code, error.message]).toEqual(['E_INPUT', text]);
  });

  test('what the web refuses ends it', async () => {
    const host = memoryHost(machineOf(minimal));
    const refused = fail('E_DOWNLOAD', { url: WEB, what: 'the server answered 404' });
    host.read = async () => {
      throw refused;
    };
    expect((await discover(host, { discoveryFile: WEB })).error).toBe(refused);
  });
});
