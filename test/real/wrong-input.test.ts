/** Wrong inputs on a real cluster: each ends soon with its error code, and leaves nothing on the machine. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, cleanUp, type Machine, missing, projectRoot, startCluster, startMachine } from './rig.ts';
import { walk } from './tree.ts';

const command = join(projectRoot, 'bin/join');
const ZERO_PIN = `sha256:${'0'.repeat(64)}`;
const SOON = ['--discovery-timeout', '1s'];
const UNDO = ['--on-failure', 'undo'];
const LIMIT_MS = 4_000; // of which half is that others share the machine
const reason = missing();

interface Wrong {
  title: string;
  code: string;
  exitCode: number;
  says: string;
  /** Instead of the good ones. */
  token?: string;
  pin?: string;
  more?: string[];
  before?: () => Promise<unknown>;
  after?: () => Promise<unknown>;
}

describe.skipIf(reason)(`wrong input on a real cluster${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let cluster: Cluster;
  let machine: Machine;
  let before: string[];
  const state = () =>
    walk(machine.path('/'))
      .filter(({ path }) => !/^(var\/lib\/kubelet\/\.service|var\/lib\/joinery|run\/joinery)(\/|$)/.test(path))
      .map(({ kind, mode, path, content }) => `${kind} ${mode} ${path} ${content.toString('base64')}`);
  const tokenOf = async (...how: string[]): Promise<string> =>
    (await machine.run(['kubeadm', 'token', 'create', '--kubeconfig', cluster.adminKubeconfig, ...how])).stdout.trim();
  const secret = (token: string) => ['-n', 'kube-system', 'secret', `bootstrap-token-${token.slice(0, 6)}`];
  const kubectl = (...args: string[]) => cluster.kubectl(args);
  /** The signer takes a moment. */
  const signedFor = async (token: string, wanted: boolean): Promise<void> => {
    for (let tries = 0; tries < 100; tries++, await sleep(100)) {
      const data = await kubectl('-n', 'kube-public', 'get', 'configmap', 'cluster-info', '-o', 'jsonpath={.data}');
      if (data.includes(`jws-kubeconfig-${token.slice(0, 6)}`) === wanted) return;
    }
    throw new Error(`${token.slice(0, 6)} is signed for: not ${wanted}`);
  };

  beforeAll(async () => {
    cluster = await startCluster();
    machine = await startMachine('w9');
    before = state();
  });
  afterAll(cleanUp);

  const attempt = async ({ token = cluster.token, pin = cluster.caHash, more = [] }: Partial<Wrong>) =>
    machine.run([
      ...[command, 'run', cluster.server, '--token', token, '--discovery-token-ca-cert-hash', pin],
      ...['--cri-socket', machine.socket, '--ignore-preflight-errors', 'all', ...more],
    ]);

  async function refuses(wrong: Omit<Wrong, 'title'>): Promise<void> {
    await wrong.before?.();
    try {
      const { code, stderr, ms } = await attempt(wrong);
      expect(stderr).toContain(`\n${wrong.code}`);
      expect(stderr).toContain(wrong.says);
      expect(stderr).toContain('\n  → ');
      expect(code, stderr).toBe(wrong.exitCode);
      expect(ms).toBeLessThan(LIMIT_MS);
      expect(state()).toEqual(before);
    } finally {
      await wrong.after?.();
    }
  }

  test('a pin of another CA', () =>
    refuses({ code: 'E_CA_PIN_MISMATCH', exitCode: 12, pin: ZERO_PIN, says: `but only ${ZERO_PIN} is pinned` }));

  test('a token whose secret half is wrong', () =>
    refuses({
      code: 'E_CLUSTER_INFO_SIGNATURE',
      exitCode: 12,
      says: 'is not signed by token',
      token: `${cluster.token.slice(0, 7)}${'z'.repeat(16)}`,
    }));

  test('a token that never existed', () =>
    refuses({
      code: 'E_TOKEN_UNKNOWN',
      exitCode: 12,
      says: 'has no signature by token zzzzzz: the token was deleted',
      token: `zzzzzz.${'z'.repeat(16)}`,
      more: SOON,
    }));

  test('a token that was deleted', async () => {
    const token = await tokenOf();
    await signedFor(token, true);
    await kubectl('delete', ...secret(token));
    await signedFor(token, false);
    await refuses({
      code: 'E_TOKEN_UNKNOWN',
      exitCode: 12,
      says: `has no signature by token ${token.slice(0, 6)}`,
      token,
      more: SOON,
    });
  });

  test('a token that has expired', async () => {
    const token = await tokenOf('--ttl', '1s');
    await sleep(1_500);
    await signedFor(token, false);
    await refuses({
      code: 'E_TOKEN_UNKNOWN',
      exitCode: 12,
      says: 'the token was deleted, has expired',
      token,
      more: SOON,
    });
  });

  test('a token that may not authenticate', async () => {
    const token = await tokenOf();
    const patch = JSON.stringify({ stringData: { 'usage-bootstrap-authentication': 'false' } });
    await kubectl('patch', ...secret(token), '-p', patch);
    await signedFor(token, true);
    await refuses({
      code: 'E_API_UNAUTHORIZED in step cluster-config',
      exitCode: 5,
      token,
      says: 'rejected the credentials of this machine (HTTP 401); cannot get configmaps kubeadm-config',
    });
  });

  test('a token that may not sign', async () => {
    const token = await tokenOf('--usages', 'authentication');
    await refuses({ code: 'E_TOKEN_UNKNOWN', exitCode: 12, says: 'or is not for signing', token, more: SOON });
  });

  test('an unknown token for the TLS bootstrap', () =>
    refuses({
      code: 'E_API_UNAUTHORIZED in step cluster-config',
      exitCode: 5,
      says: 'rejected the credentials of this machine',
      more: ['--tls-bootstrap-token', `zzzzzz.${'z'.repeat(16)}`],
    }));

  test('a cluster-info that is not public', async () => {
    const binding = ['-n', 'kube-public', 'rolebinding', 'kubeadm:bootstrap-signer-clusterinfo'];
    const saved = await kubectl('get', ...binding, '-o', 'json');
    await refuses({
      code: 'E_CLUSTER_INFO_MISSING',
      exitCode: 5,
      says: 'does not allow anonymous clients to read cluster-info (HTTP 403)',
      before: () => kubectl('delete', ...binding),
      after: () => cluster.kubectl(['apply', '-f', '-'], saved),
    });
  });

  test('a cluster without a cluster-info', async () => {
    const map = ['-n', 'kube-public', 'configmap', 'cluster-info'];
    const saved = await kubectl('get', ...map, '-o', 'json');
    await refuses({
      code: 'E_CLUSTER_INFO_MISSING',
      exitCode: 5,
      says: 'kubeadm init phase bootstrap-token',
      before: () => kubectl('delete', ...map),
      after: () => cluster.kubectl(['apply', '-f', '-'], saved),
    });
    await signedFor(cluster.token, true);
  });

  test.each([
    ['to ask for a certificate', 'kubeadm:kubelet-bootstrap', 'tls-bootstrap', 'create certificatesigningrequests'],
    ['to look for the Node', 'kubeadm:get-nodes', 'preflight-cluster', 'get nodes w9'],
  ])('a token that may not %s', async (_, name, step, what) => {
    const binding = ['clusterrolebinding', name];
    const saved = await kubectl('get', ...binding, '-o', 'json');
    await refuses({
      code: `E_API_FORBIDDEN in step ${step}`,
      exitCode: 5,
      says: `not allowed to ${what}`,
      more: UNDO,
      before: () => kubectl('delete', ...binding),
      after: () => cluster.kubectl(['apply', '-f', '-'], saved),
    });
  });

  test('a token that may not read the kubelet configuration', async () => {
    const binding = ['-n', 'kube-system', 'rolebinding', 'kubeadm:kubelet-config-1.20'];
    const saved = await kubectl('get', ...binding, '-o', 'json');
    await refuses({
      code: 'E_API_FORBIDDEN',
      exitCode: 5,
      says: 'not allowed to get configmaps kubelet-config-1.20',
      more: UNDO,
      before: () => kubectl('delete', ...binding),
      after: () => cluster.kubectl(['apply', '-f', '-'], saved),
    });
  });

  test('the name of a Node that is Ready', async () => {
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'w9' } };
    const ready = { status: { conditions: [{ type: 'Ready', status: 'True', reason: 'r', message: 'm' }] } };
    await cluster.kubectl(['create', '-f', '-'], JSON.stringify(node));
    const proxied = ['create', '--raw', '/api/v1/nodes/w9/status', '-f', '-'];
    const kept = JSON.parse(await kubectl('get', 'node', 'w9', '-o', 'json'));
    await cluster.kubectl(['replace', '--raw', proxied[2] ?? '', '-f', '-'], JSON.stringify({ ...kept, ...ready }));
    await refuses({
      code: 'E_NODE_EXISTS in step preflight-cluster',
      exitCode: 5,
      says: 'the cluster already has a Ready node named w9',
      after: () => kubectl('delete', 'node', 'w9'),
    });
  });

  test('an invalid configuration, before any request', async () => {
    writeFileSync(
      join(machine.path('/'), 'etc/joinery/wrong.yaml'),
      'apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\nnope: 1\n',
    );
    const { code, stderr } = await machine.run([command, 'run', '--config', '/etc/joinery/wrong.yaml']);
    expect(code).toBe(3);
    expect(stderr).toContain('/etc/joinery/wrong.yaml:3:1: unknown field nope');
  });
});
