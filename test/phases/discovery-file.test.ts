import { describe, expect, test } from 'vitest';
import { fail } from '../../engine/sdk/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import discoveryFile from '../../phases/discovery-file/index.ts';
import { clusterInfo, clusterInfoKubeconfig, SERVER, TOKEN } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract } from '../helpers/contract.ts';
import {
  answer,
  base64,
  ca,
  credential,
  discover,
  discovered,
  exec,
  FILE,
  identities,
  kubeconfig,
  machineOf,
  minimal,
  other,
  outputsOf,
  printing,
  SECRET,
  WEB,
  warnings,
} from '../helpers/discovery-file.ts';
import { joinErrorOf, printedForms } from '../helpers/errors.ts';

describe('discovery-file with a token in the file', () =>
  itKeepsThePhaseContract(discoveryFile, {
    input: { discoveryFile: FILE },
    machine: () => machineOf(kubeconfig({ user: `{ token: ${SECRET} }` })),
    secrets: [SECRET],
    changesNothing: true,
  }));
describe('discovery-file with credentials from a program', () =>
  itKeepsThePhaseContract(discoveryFile, {
    input: { discoveryFile: FILE },
    machine: () => machineOf(kubeconfig({ user: exec() }), printing(credential({ token: SECRET }))),
    secrets: [SECRET],
    changesNothing: true,
  }));
describe('discovery-file with a file from the web and a bootstrap token', () =>
  itKeepsThePhaseContract(discoveryFile, {
    input: { discoveryFile: WEB, tlsBootstrapToken: TOKEN },
    machine: () => machineOf(minimal),
    secrets: [SECRET],
    changesNothing: true,
  }));

describe('the cluster in a discovery file', () => {
  test.each([
    ['a path', FILE],
    ['a file:// address', `file://${FILE}`],
    ['an https:// address', WEB],
  ])('discovery-file reads the cluster from %s and verifies it with the CA of the file', async (_, address) => {
    const host = memoryHost(machineOf(minimal));
    const outcome = await discover(host, { discoveryFile: address, token: TOKEN });
    expect(outcome.error).toBeUndefined();
    expect(identities(host)).toEqual([{ ca: ca.pem }]); // anonymous, as before any request with a token
    expect(outputsOf(outcome)).toEqual(discovered({ server: SERVER, ca: ca.pem, token: TOKEN }));
    expect(host.changes).toEqual([]);
  });

  test('the query of an address never appears in errors or notes', async () => {
    const signed = `${WEB}?signature=canary-of-an-address`;
    const host = memoryHost({ ...machineOf(''), downloads: { [signed]: 'clusters: []' } });
    const { error, result } = await discover(host, { discoveryFile: signed });
    expect(error).toMatchObject({ code: 'E_DISCOVERY_FILE', facts: { file: WEB } });
    expect(printedForms([error, result.steps[0]?.notes])).not.toContain('canary-of-an-address');
  });

  test('the cluster without a name takes precedence over that of the current context', async () => {
    const both = `${kubeconfig({ cluster: '{ server: "https://other:6443" }' }).replace(
      'clusters: [',
      `clusters: [{ name: "", cluster: { server: "${SERVER}", certificate-authority-data: ${base64(ca.pem)} } }, `,
    )}`;
    const outcome = await discover(memoryHost(machineOf(both)), { token: TOKEN });
    expect(outputsOf(outcome)).toMatchObject({ server: SERVER });
  });

  test('a bundle of several certificates is trusted and passed on as a whole', async () => {
    const bundle = ca.pem + other.pem;
    const host = memoryHost(machineOf(clusterInfoKubeconfig(bundle)));
    const outcome = await discover(host, { token: TOKEN });
    expect(identities(host)).toEqual([{ ca: bundle }]);
    expect(outputsOf(outcome)).toMatchObject({ ca: bundle });
  });

  test.each([
    ['an absolute path', '/etc/pki/ca.crt', '/etc/pki/ca.crt'],
    ['a path relative to the file', 'pki/ca.crt', '/etc/pki/ca.crt'],
  ])('discovery-file reads the CA from a separate file: %s', async (_, named, path) => {
    const text = kubeconfig({ cluster: `{ server: "${SERVER}", certificate-authority: ${named} }` });
    const outcome = await discover(memoryHost(machineOf(text, { files: { [path]: ca.pem } })), { token: TOKEN });
    expect(outputsOf(outcome)).toEqual(discovered({ server: SERVER, ca: ca.pem, token: TOKEN }));
  });

  test('without a CA in the file, the roots of the machine verify the server', async () => {
    const host = memoryHost(machineOf(kubeconfig({ cluster: `{ server: "${SERVER}" }` })));
    const outcome = await discover(host, { token: TOKEN });
    expect(identities(host)).toEqual([{ ca: other.pem }]);
    expect(outputsOf(outcome)).toEqual(discovered({ server: SERVER, ca: ca.pem, token: TOKEN }));
  });

  test('cluster-info overrides neither the server nor the CA of the file', async () => {
    const elsewhere = answer(clusterInfo(clusterInfoKubeconfig(other.pem, 'https://lb.example:443')));
    const outcome = await discover(memoryHost(machineOf(minimal, {}, elsewhere)), { token: TOKEN });
    expect(outputsOf(outcome)).toEqual(discovered({ server: SERVER, ca: ca.pem, token: TOKEN }));
    expect(warnings(outcome)).toEqual([
      'cluster-info names the server https://lb.example:443; using https://api.example:6443 from the discovery file',
    ]);
  });

  test('discovery-file warns about fields that the kubelet would not get', async () => {
    const ignored = 'proxy-url: "http://p:1", tls-server-name: x';
    const cluster = `{ server: "${SERVER}", certificate-authority-data: ${base64(ca.pem)}, ${ignored} }`;
    const outcome = await discover(memoryHost(machineOf(kubeconfig({ cluster }))), { token: TOKEN });
    expect(warnings(outcome)).toEqual([
      '/etc/cluster.conf: ignoring proxy-url, because the kubelet would not get it',
      '/etc/cluster.conf: ignoring tls-server-name, because the kubelet would not get it',
    ]);
  });

  test('discovery-file accepts a server that denies access to cluster-info, because TLS has verified it', async () => {
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
    ['is not YAML', 'a: b: c', 'a mapping or list cannot begin on the line of its key'],
    ['is not a mapping', '[]', 'the document is not a mapping'],
    ['has no clusters', 'kind: Config', 'it has neither a cluster without a name nor a current context with a cluster'],
    [
      'has a current context that does not exist',
      kubeconfig({ context: 'gone' }),
      'it has neither a cluster without a name nor a current context with a cluster',
    ],
    [
      'has a context whose cluster does not exist',
      kubeconfig({ clusterName: 'other' }),
      'it has neither a cluster without a name nor a current context with a cluster',
    ],
    ['has a cluster without a server', kubeconfig({ cluster: '{}' }), 'its cluster has no server'],
    [
      'turns verification off',
      clusterOf('insecure-skip-tls-verify: true'),
      'it sets insecure-skip-tls-verify, so any server could pose as the cluster',
    ],
    ['has an http server', serverOf('http://x:1'), 'its server http://x:1 is not https://host:port'],
    ['has a server with a path', serverOf('https://x:1/k8s'), 'its server https://x:1/k8s is not https://host:port'],
    [
      'has a CA twice',
      clusterOf(`certificate-authority: /ca.crt, certificate-authority-data: ${base64(ca.pem)}`),
      'it has both certificate-authority and certificate-authority-data',
    ],
    [
      'refers to a missing CA file',
      clusterOf('certificate-authority: /ca.crt'),
      'it refers to /ca.crt, which does not exist',
    ],
    [
      'has an invalid CA',
      clusterOf(`certificate-authority-data: ${base64('none')}`),
      'its CA data contains no certificate',
    ],
    [
      'has the PEM text itself as the data of its CA',
      clusterOf(`certificate-authority-data: ${JSON.stringify(ca.pem)}`),
      'its certificate-authority-data is PEM: it must be the base64 of the PEM text, as one word',
    ],
    [
      'has a key twice',
      `${serverOf('https://x:1')}\ncurrent-context: a\ncurrent-context: b\n`,
      ': the key current-context is duplicated',
    ],
    [
      'has a CA bundle with a damaged certificate',
      clusterOf(
        `certificate-authority-data: ${base64(`${ca.pem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`)}`,
      ),
      'its CA data contains no certificate',
    ],
  ])('discovery-file refuses a file that %s, before any request', async (_, text, what) => {
    const host = memoryHost(machineOf(text));
    const { error } = await discover(host, { token: TOKEN });
    expect(error).toMatchObject({ code: 'E_DISCOVERY_FILE', exitCode: 12, transient: false });
    expect(error).toMatchObject({ facts: { file: FILE, what: expect.stringContaining(what) } });
    expect(host.sent).toEqual([]);
  });

  test('discovery-file names a missing file', async () => {
    const { error } = await discover(memoryHost(machineOf(minimal)), { discoveryFile: '/no.conf' });
    expect(error).toMatchObject({
      code: 'E_DISCOVERY_FILE',
      facts: { file: '/no.conf', what: 'the file does not exist' },
    });
  });

  test('discovery-file fails without a CA if the machine trusts no CA, or cluster-info has none', async () => {
    const without = kubeconfig({ cluster: `{ server: "${SERVER}" }` });
    const untrusting = memoryHost(machineOf(without, { roots: '' }));
    expect((await discover(untrusting, { token: TOKEN })).error).toMatchObject({
      facts: { what: 'it has no CA, and this machine has no trusted CA certificates' },
    });
    expect(untrusting.sent).toEqual([]);
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
  ])('discovery-file does not join a server that answers %s to a user %s', async (status, user, expected) => {
    const { error } = await discover(memoryHost(machineOf(kubeconfig({ user }), {}, answer(undefined, status))), {
      token: TOKEN,
    });
    expect(error).toMatchObject(expected);
    expect(printedForms(error)).not.toContain(SECRET);
  });

  test('discovery-file fails if the clocks differ by two minutes', async () => {
    const late = answer(clusterInfo(minimal), 200, 120_000);
    expect((await discover(memoryHost(machineOf(minimal, {}, late)), { token: TOKEN })).error).toMatchObject({
      code: 'E_CLOCK_SKEW',
      facts: { server: SERVER, skewSeconds: 120 },
    });
  });
});

describe('the address of a discovery file', () => {
  test.each(['http://files.example/x', 'ftp://x', 'cluster.conf', 'file://host/x', 'HTTP://x', ''])(
    'discovery-file refuses an invalid address before anything is read: %j',
    async (address) => {
      const error = await joinErrorOf(() => discover(memoryHost(machineOf(minimal)), { discoveryFile: address }));
      expect([error.code, error.message]).toEqual([
        'E_INPUT',
        `--discovery-file has the wrong form "${address}": it must be a path, a file:/// or an https:// address`,
      ]);
    },
  );

  test.each<[string, object, string]>([
    [
      'a token for discovery',
      { discoveryToken: TOKEN },
      '--discovery-file and --discovery-token cannot be combined: pass one of them',
    ],
    [
      'pins',
      { discoveryTokenCaCertHash: [ca.pin] },
      '--discovery-token-ca-cert-hash is for discovery by token: a --discovery-file has its own CA',
    ],
  ])('discovery-file refuses a discovery file together with %s', async (_, address, text) => {
    const error = await joinErrorOf(() => discover(memoryHost(machineOf(minimal)), address as Record<string, unknown>));
    expect([error.code, error.message]).toEqual(['E_INPUT', text]);
  });

  test('discovery-file fails if the download fails', async () => {
    const host = memoryHost(machineOf(minimal));
    const refused = fail('E_DOWNLOAD', { url: WEB, what: 'the server answered 404' });
    host.read = async () => {
      throw refused;
    };
    expect((await discover(host, { discoveryFile: WEB })).error).toBe(refused);
  });
});
