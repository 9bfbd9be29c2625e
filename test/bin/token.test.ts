import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { isSignedBy } from '../../engine/pki/index.ts';
import type { Sandbox } from '../../plugins/sandbox/index.ts';
import type { ConfigMap, Secret } from '../../plugins/sandbox/objects.ts';
import { nodeClient } from '../plugins/sandbox/client.ts';
import { cli, type Outcome, project, scene, start } from './cli.ts';
import { documentOf } from './documents.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'token-'));
});
afterEach(() => rm(folder, { recursive: true }));

const file = async (name: string, text: string): Promise<string> => {
  await writeFile(join(folder, name), text);
  return join(folder, name);
};
const adminOf = (sandbox: Sandbox): Promise<string> => file('admin.conf', sandbox.adminKubeconfig);
/** `join token …` as the cluster's administrator. */
async function administrator(sandbox: Sandbox) {
  const kubeconfig = await adminOf(sandbox);
  return (...words: string[]): Promise<Outcome> => cli(['token', ...words, '--kubeconfig', kubeconfig]);
}
const clusterInfo = (sandbox: Sandbox): Record<string, string> =>
  sandbox.store.get<ConfigMap>('configmaps', 'cluster-info', 'kube-public')?.data ?? {};
const secretOf = (sandbox: Sandbox, id: string): Secret | undefined =>
  sandbox.store.get<Secret>('secrets', `bootstrap-token-${id}`, 'kube-system');
const idsOf = (sandbox: Sandbox): string[] =>
  sandbox.store.list<Secret>('secrets', 'kube-system').map(({ metadata }) => metadata.name.replace(/.*-/, ''));
const succeeded = ({ code, stdout, stderr }: Outcome): string => {
  expect(code, stderr).toBe(0);
  return stdout;
};
const failed = ({ code, stdout, stderr }: Outcome, error: string, exitCode: number): string => {
  expect(stderr).toContain(error);
  expect(code).toBe(exitCode);
  expect(stdout).toBe('');
  return stderr;
};

describe('join token', () => {
  test('join token creates a token that signs cluster-info, lists it and deletes it', async () => {
    const { sandbox } = await scene();
    const token = await administrator(sandbox);
    const created = succeeded(await token('create', '--ttl', '90m', '--description', 'rack 7'));
    expect(created).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}\n$/);
    const [id = '', secret = ''] = created.trim().split('.');

    const data = Object.entries(secretOf(sandbox, id)?.data ?? {});
    const fields = Object.fromEntries(data.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
    expect(fields).toEqual({
      'token-id': id,
      'token-secret': secret,
      expiration: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      'usage-bootstrap-authentication': 'true',
      'usage-bootstrap-signing': 'true',
      'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token',
      description: 'rack 7',
    });
    const { kubeconfig = '', [`jws-kubeconfig-${id}`]: jws = '' } = clusterInfo(sandbox);
    expect(isSignedBy(jws, kubeconfig, id, secret)).toBe(true);

    const listed = succeeded(await token('list'));
    expect(listed).toMatch(/^TOKEN +TTL +EXPIRES +USAGES +DESCRIPTION +EXTRA GROUPS$/m);
    expect(listed).toMatch(
      new RegExp(
        `^${id}\\.\\*{16} +1h +${fields.expiration} +authentication,signing +rack 7 +${fields['auth-extra-groups']}$`,
        'm',
      ),
    );
    expect(succeeded(await token('list', '--show-secrets'))).toContain(created.trim());
    const json = succeeded(await token('list', '--output', 'json'));
    expect(listed + json).not.toContain(secret);
    expect(documentOf('BootstrapTokenList', json).tokens).toContainEqual({
      id,
      expiresAt: fields.expiration,
      usages: ['authentication', 'signing'],
      description: 'rack 7',
      groups: [fields['auth-extra-groups']],
    });

    expect(succeeded(await token('delete', created.trim()))).toBe(`Deleted token ${id}.\n`);
    await vi.waitFor(() => expect(clusterInfo(sandbox)).not.toHaveProperty(`jws-kubeconfig-${id}`));
    expect(idsOf(sandbox)).toEqual([sandbox.token.slice(0, 6)]);
  });

  test('the command that token create prints joins a machine', async () => {
    const { sandbox, root } = await scene();
    const token = await administrator(sandbox);
    const line = succeeded(await token('create', '--print-join-command', '--ttl', '5m'));
    const [program, ...words] = line.trim().split(' ');
    expect(program).toBe('join');
    expect(words).toEqual([
      ...['run', sandbox.endpoint, '--token', expect.stringMatching(/^[a-z0-9]{6}\.[a-z0-9]{16}$/)],
      ...['--discovery-token-ca-cert-hash', sandbox.caPin],
    ]);
    expect(words).not.toContain(sandbox.token);
    const joined = await cli([...words, '--root', root]);
    expect(joined.code, joined.stderr).toBe(0);
    const [csr] = sandbox.store.list('certificatesigningrequests');
    expect(csr?.spec).toMatchObject({ username: `system:bootstrap:${words[3]?.slice(0, 6)}` });
    expect(sandbox.store.get('nodes', 'w1')).toBeDefined();
  });

  test('token create leaves no token behind if it cannot print the join command', async () => {
    const { sandbox } = await scene();
    const token = await administrator(sandbox);
    sandbox.store.delete('rolebindings', 'kubeadm:bootstrap-signer-clusterinfo', 'kube-public');
    failed(await token('create', '--print-join-command'), 'E_CLUSTER_INFO_MISSING', 5);
    failed(await token('create', '--print-join-command', '--usages', 'signing'), 'a join needs both usages', 2);
    expect(idsOf(sandbox)).toEqual([sandbox.token.slice(0, 6)]);
  });

  test('token create creates a given token once', async () => {
    const { sandbox } = await scene();
    const token = await administrator(sandbox);
    const generated = succeeded(await cli(['token', 'generate'], { KUBECONFIG: '/nowhere' }));
    const createWords = ['create', `@${await file('token', generated)}`, '--ttl', '0', '--groups', ''];
    expect(succeeded(await token(...createWords))).toBe(generated);
    const id = generated.slice(0, 6);
    const before = secretOf(sandbox, id);
    expect(Object.keys(before?.data ?? {}).sort()).toEqual([
      ...['token-id', 'token-secret', 'usage-bootstrap-authentication', 'usage-bootstrap-signing'],
    ]);
    expect(succeeded(await token('list'))).toMatch(
      new RegExp(`^${id}\\.\\*+ +<forever> +<never> +\\S+ +<none> +<none>$`, 'm'),
    );
    const refused = failed(await token(...createWords, '--description', 'again'), 'E_TOKEN_EXISTS', 5);
    expect(refused).toContain(`join token delete ${id}`);
    expect(refused).not.toContain(generated.trim());
    expect(secretOf(sandbox, id)).toEqual(before);
  });

  test('token create --ttl creates a token that the cluster deletes after that time', async () => {
    const { sandbox } = await scene();
    const token = await administrator(sandbox);
    const id = succeeded(await token('create', '--ttl', '2s')).slice(0, 6);
    expect(id).toHaveLength(6);
    await vi.waitFor(() => {
      expect(secretOf(sandbox, id)).toBeUndefined();
      expect(clusterInfo(sandbox)).not.toHaveProperty(`jws-kubeconfig-${id}`);
    }, 4_000);
  });

  test('token delete deletes the tokens that exist, and names those that do not', async () => {
    const { sandbox } = await scene();
    const token = await administrator(sandbox);
    const id = sandbox.token.slice(0, 6);
    const mistyped = await token('delete', id, 'abcdef.0123456789abcde');
    expect(failed(mistyped, 'E_INPUT', 2)).not.toContain('0123');
    expect(idsOf(sandbox)).toEqual([id]);
    const { code, stdout, stderr } = await token('delete', 'absent', id, id, 'noone0');
    expect([code, stdout]).toEqual([5, `Deleted token ${id}.\n`]);
    expect(stderr).toContain('E_TOKEN_ABSENT: the cluster has no bootstrap token absent, noone0');
    expect(succeeded(await token('list'))).toBe('The cluster has no bootstrap token.\n');
  });

  test('token create and token delete change nothing with --dry-run', async () => {
    const { sandbox } = await scene();
    const token = await administrator(sandbox);
    const id = sandbox.token.slice(0, 6);
    expect(succeeded(await token('create', '--dry-run'))).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}\n$/);
    expect(succeeded(await token('delete', id, '--dry-run'))).toBe(`Would delete token ${id}.\n`);
    expect(idsOf(sandbox)).toEqual([id]);
  });

  test('token list reports Secrets without a usable token', async () => {
    const { sandbox } = await scene();
    const token = await administrator(sandbox);
    const broken = {
      metadata: { name: 'bootstrap-token-odd000', namespace: 'kube-system' },
      type: 'bootstrap.kubernetes.io/token',
    };
    sandbox.store.create('secrets', broken);
    const { code, stderr, stdout } = await token('list', '--output', 'json');
    expect(code).toBe(0);
    expect(stderr).toContain(
      '! Secret kube-system/bootstrap-token-odd000 does not contain a usable token: its token-id',
    );
    expect(documentOf('BootstrapTokenList', stdout).unusable).toMatchObject([{ secret: 'bootstrap-token-odd000' }]);
  });

  test('token create ignores a pipe on standard input', async () => {
    const { sandbox } = await scene();
    const kubeconfig = await adminOf(sandbox);
    const script = `echo abcdef.0123456789abcdef | "$0" bin/join token create --kubeconfig "$1"`;
    const { stdout } = await promisify(execFile)('sh', ['-c', script, process.execPath, kubeconfig], { cwd: project });
    expect(stdout).not.toContain('abcdef.0123456789abcdef');
    expect(secretOf(sandbox, 'abcdef')).toBeUndefined();
  });
});

describe('the kubeconfig of join token', () => {
  test('join token uses the first existing kubeconfig in $KUBECONFIG', async () => {
    const { sandbox } = await scene();
    const existing = await adminOf(sandbox);
    const id = sandbox.token.slice(0, 6);
    for (const KUBECONFIG of [existing, `/nowhere:${existing}`, `:${existing}:/nowhere`])
      expect(succeeded(await cli(['token', 'list'], { KUBECONFIG }))).toContain(id);
    const words = ['token', 'list', '--kubeconfig', join(folder, 'other.conf')];
    expect(failed(await cli(words, { KUBECONFIG: existing }), 'E_KUBECONFIG', 2)).toMatch(
      /cannot use the kubeconfig \S*other\.conf: does not exist$/m,
    );
    expect(failed(await cli(['token', 'list'], { KUBECONFIG: '/nowhere:/else' }), 'E_KUBECONFIG', 2)).toContain(
      '/nowhere',
    );
  });

  test('join token accepts a kubeconfig that names files beside it', async () => {
    const { sandbox } = await scene();
    const document = parse(sandbox.adminKubeconfig);
    const [{ cluster }] = document.clusters;
    const [{ user }] = document.users;
    for (const [fields, name] of [
      [cluster, 'certificate-authority'],
      [user, 'client-certificate'],
      [user, 'client-key'],
    ]) {
      await file(`${name}.pem`, Buffer.from(fields[`${name}-data`], 'base64').toString());
      delete fields[`${name}-data`];
      fields[name] = `${name}.pem`;
    }
    const kubeconfig = await file('split.conf', stringify(document));
    expect(succeeded(await cli(['token', 'list', '--kubeconfig', kubeconfig]))).toContain(sandbox.token.slice(0, 6));
  });

  test.each<[who: string, userOf: (sandbox: Sandbox) => object, status: number]>([
    [
      'a node',
      (sandbox) => {
        const { cert, key } = nodeClient(sandbox, 'w1');
        return { 'client-certificate-data': btoa(cert), 'client-key-data': btoa(key) };
      },
      403,
    ],
    ['a bootstrap token', ({ token }) => ({ token }), 403],
    ['a stranger', () => ({ token: 'stranger' }), 401],
  ])('token create refuses the kubeconfig of %s', async (_, userOf, status) => {
    const { sandbox } = await scene();
    const document = parse(sandbox.adminKubeconfig);
    document.users[0].user = userOf(sandbox);
    const kubeconfig = await file('other.conf', stringify(document));
    const error = failed(await cli(['token', 'create', '--kubeconfig', kubeconfig]), 'E_KUBECONFIG_ACCESS', 5);
    expect(error).toContain(`the user of ${kubeconfig} is not allowed to create bootstrap tokens (HTTP ${status})`);
    expect(error).not.toContain(sandbox.token);
    expect(idsOf(sandbox)).toEqual([sandbox.token.slice(0, 6)]);
  });

  test('join token does not trust a server with the kubeconfig of another cluster', async () => {
    const [target, other] = [await scene(), await scene()];
    const document = parse(other.sandbox.adminKubeconfig);
    document.clusters[0].cluster.server = `https://${target.sandbox.endpoint}`;
    const kubeconfig = await file('wrong.conf', stringify(document));
    const error = failed(await cli(['token', 'list', '--kubeconfig', kubeconfig]), 'E_API_CERTIFICATE_UNTRUSTED', 12);
    expect(error).toContain('get a new kubeconfig');
    expect(target.sandbox.store.requests.filter(({ path }) => path.includes('secrets'))).toEqual([]);
  });
});

describe('join ca-hash', () => {
  const vectors = join(project, 'test/vectors');
  const pins = async () =>
    (await import('../vectors/pins.json', { with: { type: 'json' } })).default.bundle.pinsInOrder;

  test('ca-hash prints the pin of each certificate in a file, a pipe or a kubeconfig', async () => {
    const expected = `${(await pins()).join('\n')}\n`;
    expect(succeeded(await cli(['ca-hash', join(vectors, 'ca-bundle.crt')]))).toBe(expected);
    expect(succeeded(await cli(['ca-hash', join(vectors, 'kubeconfig-two-ca.yaml')]))).toBe(expected);
    const script = `cat test/vectors/ca-bundle.crt | "$0" bin/join ca-hash -`;
    const { stdout } = await promisify(execFile)('sh', ['-c', script, process.execPath], { cwd: project });
    expect(stdout).toBe(expected);
  });

  test('ca-hash prints the pin of a sandbox, and warns about a certificate that is not a CA', async () => {
    const { sandbox } = await scene();
    expect(succeeded(await cli(['ca-hash', await adminOf(sandbox)]))).toBe(`${sandbox.caPin}\n`);
    const { cert } = nodeClient(sandbox, 'w1');
    const { code, stdout, stderr } = await cli(['ca-hash', await file('node.crt', cert)]);
    expect([code, stderr]).toEqual([0, '! system:node:w1 is not a CA certificate; its hash cannot be used to join\n']);
    expect(stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
  });

  test.each([
    ['a missing file', '/nowhere/ca.crt', '/nowhere/ca.crt: does not exist'],
    ['a directory', '/tmp', '/tmp is a directory, not a file'],
    ['an endless file', '/dev/zero', '/dev/zero is a device, not a file'],
    ['nothing on standard input', '-', 'standard input'],
  ])('ca-hash fails with a hint for %s', async (_, path, says) => {
    const error = failed(await start(['ca-hash', path]).outcome, 'E_CA_HASH', 2);
    expect(error).toContain(says);
    expect(error).toContain('/etc/kubernetes/pki/ca.crt');
  });
});
