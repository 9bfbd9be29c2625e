/**
 * Every form of discovery on a real cluster: by token, by file and from the web; also without public access to
 * cluster-info.
 */
import { X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCa, issueKeyPair } from '../../plugins/sandbox/certificates.ts';
import { launch } from './command.ts';
import { type Cluster, cleanUp, type Machine, missing, projectRoot, startCluster, startMachine } from './rig.ts';
import { walk } from './tree.ts';

const command = join(projectRoot, 'bin/join');
const reason = missing();

describe.skipIf(reason)(`discovery of a real cluster${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let cluster: Cluster;
  let machine: Machine;
  let before: string[];

  const state = () =>
    walk(machine.path('/'))
      .filter(({ path }) => !/^(var\/lib\/kubelet\/\.service|var\/lib\/joinery|etc\/joinery)(\/|$)/.test(path))
      .map(({ kind, mode, path, content }) => `${kind} ${mode} ${path} ${content.toString('base64')}`);
  const run = (args: string[], env: Record<string, string> = {}) => machine.start([command, ...args], { env }).done;
  const here = () => ['--cri-socket', machine.socket, '--ignore-preflight-errors', 'all'];
  /** Joins in that way until the cluster has the Node, and undoes the join. */
  async function joins(by: string[], env: Record<string, string> = {}): Promise<string> {
    const { code, stdout, stderr } = await run(['run', ...by, ...here()], env);
    expect(code, stdout + stderr).toBe(0);
    const version = '{.status.nodeInfo.kubeletVersion}';
    expect(await cluster.kubectl(['get', 'node', 'w9', '-o', `jsonpath=${version}`])).toBe('v1.20.2');
    expect(readFileSync(machine.path('etc/kubernetes/kubelet.conf'), 'utf8')).toContain(`https://${cluster.server}`);
    const undone = await run(['undo', '--yes']);
    expect(undone.code, undone.stdout + undone.stderr).toBe(0);
    expect(state()).toEqual(before);
    return stderr;
  }
  /** Does not, within two seconds, and leaves nothing. */
  async function refuses(by: string[], env: Record<string, string> = {}) {
    const { code, stderr, ms } = await run(['run', ...by, ...here()], env);
    expect(state()).toEqual(before);
    expect(ms).toBeLessThan(2_000);
    return { code, stderr };
  }
  /** A file on the machine, of root alone. */
  const put = (name: string, text: string, mode = 0o600): string => {
    mkdirSync(machine.path('etc/joinery'), { recursive: true });
    writeFileSync(machine.path(`etc/joinery/${name}`), text);
    chmodSync(machine.path(`etc/joinery/${name}`), mode);
    return `/etc/joinery/${name}`;
  };
  const clusterInfo = () =>
    cluster.kubectl(['-n', 'kube-public', 'get', 'cm', 'cluster-info', '-o', 'jsonpath={.data.kubeconfig}']);
  const withUser = async (user: string) =>
    (await clusterInfo())
      .replace('users: null', `users: [{ name: joiner, user: ${user} }]`)
      .replace('contexts: null', 'contexts: [{ name: joiner, context: { cluster: "", user: joiner } }]')
      .replace('current-context: ""', 'current-context: joiner');

  beforeAll(async () => {
    cluster = await startCluster();
    machine = await startMachine('w9');
    before = state();
  });
  afterAll(cleanUp);

  describe('discovery by token', () => {
    test('joins with the pins of several CAs, one of which matches', async () => {
      const hashes = `sha256:${'0'.repeat(64)},${cluster.caHash}`;
      const stderr = await joins([cluster.server, '--token', cluster.token, '--discovery-token-ca-cert-hash', hashes]);
      expect(stderr).toContain(`the CA matches the pinned key ${cluster.caHash}`);
    });

    test('joins without a pin, with a warning', async () => {
      const stderr = await joins([
        ...[cluster.server, '--discovery-token', cluster.token, '--tls-bootstrap-token', cluster.token],
        '--discovery-token-unsafe-skip-ca-verification',
      ]);
      expect(stderr).toContain('! the CA is not pinned: anyone who knows the token could pose as the cluster');
    });

    test('refuses to join with neither a pin nor --discovery-token-unsafe-skip-ca-verification', async () => {
      const { code, stderr } = await refuses([cluster.server, '--token', cluster.token]);
      expect([code, stderr]).toEqual([2, expect.stringContaining('the CA key must be pinned')]);
    });
  });

  describe('discovery by file', () => {
    test('joins with a cluster in the file and a token on the command line', async () => {
      await joins([
        '--discovery-file',
        put('cluster.conf', await clusterInfo()),
        '--tls-bootstrap-token',
        cluster.token,
      ]);
      await joins(['--discovery-file', `file://${put('cluster.conf', await clusterInfo())}`, '--token', cluster.token]);
    });

    test('joins with credentials in the file: a token, a token file, a program, an administrator', async () => {
      const token = put('token', `${cluster.token}\n`);
      const status = `'{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"${cluster.token}"}}'`;
      const program = put('credentials', `#!/bin/sh\necho ${status}\n`, 0o700);
      for (const user of [
        `{ token: ${cluster.token} }`,
        `{ tokenFile: ${token} }`,
        `{ exec: { apiVersion: client.authentication.k8s.io/v1, command: ${program} } }`,
      ])
        await joins(['--discovery-file', put('cluster.conf', await withUser(user))]);
      await joins(['--discovery-file', put('admin.conf', readFileSync(cluster.adminKubeconfig, 'utf8'))]);
    });

    test('refuses to run the program of a file that other users may write', async () => {
      const ran = machine.path('etc/joinery/ran');
      const program = put('credentials', '#!/bin/sh\ntouch /etc/joinery/ran\n', 0o700);
      const user = `{ exec: { apiVersion: client.authentication.k8s.io/v1, command: ${program} } }`;
      const { code, stderr } = await refuses(['--discovery-file', put('cluster.conf', await withUser(user), 0o666)]);
      expect([code, stderr]).toEqual([
        12,
        expect.stringContaining(
          'E_DISCOVERY_FILE in step discovery: cannot use the discovery file /etc/joinery/cluster.conf: it names a program to run (exec), but users other than root can write the file',
        ),
      ]);
      expect(existsSync(ran)).toBe(false);
    });

    test('refuses a file with the CA of another cluster, and sends no token', async () => {
      const strange = Buffer.from(createCa(new Date()).cert).toString('base64');
      const text = (await clusterInfo()).replace(/(certificate-authority-data: ).*/, `$1${strange}`);
      const { code, stderr } = await refuses(['--discovery-file', put('c.conf', text), '--token', cluster.token]);
      expect([code, stderr]).toEqual([12, expect.stringContaining('E_API_CERTIFICATE_UNTRUSTED in step discovery')]);
    });

    test('refuses a file without credentials if there is no token', async () => {
      const { code, stderr } = await refuses(['--discovery-file', put('cluster.conf', await clusterInfo())]);
      expect([code, stderr]).toEqual([2, expect.stringContaining('E_DISCOVERY_CREDENTIALS')]);
    });
  });

  describe('discovery from the web', () => {
    const now = new Date();
    const ca = createCa(now);
    const pair = issueKeyPair(ca, now, { commonName: 'files', organizations: [] }, 'server', ['127.0.0.1']);
    const paths = new Map<string, string>();
    const server = createServer(pair, ({ url = '' }, response) => {
      const text = paths.get(url);
      if (text?.startsWith('http')) response.writeHead(302, { location: text }).end();
      else response.writeHead(text === undefined ? 404 : 200).end(text);
    });
    let origin: string;
    let trusting: Record<string, string>;
    beforeAll(async () => {
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
      origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
      paths
        .set('/cluster.conf', await clusterInfo())
        .set('/moved', `${origin}/cluster.conf`)
        .set('/http', 'http://127.0.0.1/');
      trusting = { SSL_CERT_FILE: put('bundle.crt', ca.cert), SSL_CERT_DIR: '/nowhere' };
    });
    afterAll(() => void server.close());

    test('joins with an address whose server SSL_CERT_FILE verifies, and after a redirect', async () => {
      await joins(['--discovery-file', `${origin}/cluster.conf`, '--tls-bootstrap-token', cluster.token], trusting);
      await joins(['--discovery-file', `${origin}/moved`, '--token', cluster.token], trusting);
    });

    test.each<[string, string, string, number, Record<string, string> | undefined]>([
      [
        'a server that no trusted CA has signed',
        '/cluster.conf',
        'E_API_CERTIFICATE_UNTRUSTED',
        12,
        { SSL_CERT_FILE: '' },
      ],
      ['a missing file', '/gone', 'the server answered 404', 5, undefined],
      ['a redirect to http', '/http', 'it leads to an address that is not https', 5, undefined],
    ])('refuses %s', async (_, path, text, exitCode, env = trusting) => {
      const { code, stderr } = await refuses(['--discovery-file', `${origin}${path}`, '--token', cluster.token], env);
      expect([code, stderr]).toEqual([exitCode, expect.stringContaining(text)]);
    });

    test('refuses http', async () => {
      const { code, stderr } = await refuses(['--discovery-file', 'http://127.0.0.1/x', '--token', cluster.token]);
      expect([code, stderr]).toEqual([
        2,
        expect.stringContaining('--discovery-file has the wrong form "http://127.0.0.1/x"'),
      ]);
    });
  });

  describe('discovery without public access to cluster-info', () => {
    let file: string;
    beforeAll(async () => {
      const kubectl = `kubectl --kubeconfig ${cluster.adminKubeconfig}`;
      file = put('cluster-info.yaml', '');
      // The commands of the documentation; the first one creates the file.
      const chapter = [
        `kubectl -n kube-public get cm cluster-info -o yaml | grep "kubeconfig:" -A11 | grep "apiVersion" -A10 | sed "s/    //" | tee ${machine.path(file)}`,
        'kubectl -n kube-public delete rolebinding kubeadm:bootstrap-signer-clusterinfo',
      ];
      for (const line of chapter) {
        const { code, stderr } = await launch(['bash', '-c', line.replace(/^kubectl/, kubectl)]).done;
        expect(code, stderr).toBe(0);
      }
      expect(readFileSync(machine.path(file), 'utf8')).toContain('certificate-authority-data');
    });

    test('discovery by token fails and gives the likely cause', async () => {
      const pin = ['--discovery-token-ca-cert-hash', cluster.caHash];
      const { code, stderr } = await refuses([cluster.server, '--token', cluster.token, ...pin]);
      expect([code, stderr]).toEqual([
        5,
        expect.stringContaining(
          `E_CLUSTER_INFO_MISSING in step discovery: https://${cluster.server} does not allow anonymous clients to read cluster-info (HTTP 403)`,
        ),
      ]);
    });

    test('the saved file joins, with a token and with credentials in it', async () => {
      const stderr = await joins(['--discovery-file', file, '--tls-bootstrap-token', cluster.token]);
      expect(stderr).toContain('does not allow this client to read cluster-info');
      const text = readFileSync(machine.path(file), 'utf8')
        .replace(/users: .*/, `users: [{ name: joiner, user: { token: ${cluster.token} } }]`)
        .replace(/contexts: .*/, 'contexts: [{ name: joiner, context: { cluster: "", user: joiner } }]')
        .replace('current-context: ""', 'current-context: joiner');
      expect(await joins(['--discovery-file', put('with-user.yaml', text)])).toContain(
        'does not allow this client to read cluster-info',
      );
    });

    test('the certificate of the server is still verified', async () => {
      const strange = Buffer.from(createCa(new Date()).cert).toString('base64');
      const text = readFileSync(machine.path(file), 'utf8').replace(/(certificate-authority-data: ).*/, `$1${strange}`);
      const { code, stderr } = await refuses(['--discovery-file', put('c.conf', text), '--token', cluster.token]);
      expect([code, stderr]).toEqual([12, expect.stringContaining('E_API_CERTIFICATE_UNTRUSTED')]);
    });
  });

  test('join ca-hash prints the same pin as the openssl command of the documentation', async () => {
    const [, data = ''] = /certificate-authority-data: (.*)/.exec(await clusterInfo()) ?? [];
    const file = put('ca.crt', Buffer.from(data, 'base64').toString());
    expect(new X509Certificate(readFileSync(machine.path(file))).ca).toBe(true);
    expect((await run(['ca-hash', file])).stdout.trim()).toBe(cluster.caHash);
  });
});
