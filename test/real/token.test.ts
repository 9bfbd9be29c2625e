/** Bootstrap tokens on a real control plane, compared with the real kubeadm. No machine and no kubelet are needed. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeMachine } from '../../plugins/sandbox/machine/machine.ts';
import { launch, must } from './command.ts';
import { type Cluster, cleanUp, missing, projectRoot, startCluster } from './rig.ts';

const command = join(projectRoot, 'bin/join');
const reason = missing();
if (reason) console.warn(`the tests of tokens on a real cluster are skipped: ${reason}`);

describe.skipIf(reason)(`join token on a real cluster${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let cluster: Cluster;
  let kubeadmPath: string;
  let folder: string;

  const env = () => ({ KUBECONFIG: cluster.adminKubeconfig });
  const attempt = (...args: string[]) => launch([command, ...args], { env: env() }).done;
  const joinery = async (...args: string[]): Promise<string> => (await must([command, ...args], { env: env() })).trim();
  const kubeadm = async (...args: string[]): Promise<string> => (await must([kubeadmPath, ...args])).trim();
  const kubeadmToken = (...args: string[]) => kubeadm('token', ...args, '--kubeconfig', cluster.adminKubeconfig);
  /** The cells of a table, its rows sorted. */
  const cells = (table: string): string[][] =>
    table
      .split('\n')
      .sort()
      .map((line) => line.split(/ {2,}/));
  const secretData = async (id: string): Promise<Record<string, string>> =>
    JSON.parse(await cluster.kubectl(['-n', 'kube-system', 'get', 'secret', `bootstrap-token-${id}`, '-o', 'json']))
      .data;
  const signatures = () =>
    cluster.kubectl(['-n', 'kube-public', 'get', 'configmap', 'cluster-info', '-o', 'jsonpath={.data}']);
  const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    for (const from = Date.now(); !(await holds()); await sleep(100))
      if (Date.now() > from + 30_000) throw new Error(`not within 30 s: ${what}`);
  };

  beforeAll(async () => {
    kubeadmPath = join((await must([resolve(projectRoot, '../shared/kube/unpack')])).trim(), 'kubeadm');
    folder = mkdtempSync(join(tmpdir(), 'joinery-token-'));
    cluster = await startCluster();
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await cleanUp();
  });

  test('join and kubeadm list the same tokens', async () => {
    const ours = await joinery('token', 'create', '--description', 'made by join');
    const theirs = await kubeadmToken('create', '--description', 'made by kubeadm');
    const limited = await joinery('token', 'create', '--usages', 'signing', '--ttl', '0');
    const listed = await joinery('token', 'list', '--show-secrets');
    expect(cells(listed)).toEqual(cells(await kubeadmToken('list')));
    for (const token of [ours, theirs, limited, cluster.token]) expect(listed).toContain(token);
    const masked = await joinery('token', 'list');
    for (const token of [ours, theirs, limited, cluster.token]) expect(masked).not.toContain(token.slice(7));
  });

  test('join and kubeadm create the same Secret', async () => {
    const token = await joinery('token', 'generate');
    const asked = ['create', token, '--ttl', '0', '--description', 'twice'];
    expect(await kubeadmToken(...asked)).toBe(token);
    const theirs = await secretData(token.slice(0, 6));
    expect(await joinery('token', 'delete', token)).toBe(`Deleted token ${token.slice(0, 6)}.`);
    expect(await joinery('token', ...asked)).toBe(token);
    expect(await secretData(token.slice(0, 6))).toEqual(theirs);
    const refused = await attempt('token', ...asked);
    expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining('E_TOKEN_EXISTS')]);
  });

  test('a deleted or expired token no longer signs cluster-info', async () => {
    const token = await joinery('token', 'create');
    const id = token.slice(0, 6);
    await until('signed', async () => (await signatures()).includes(`jws-kubeconfig-${id}`));
    await joinery('token', 'delete', token);
    await until('not signed', async () => !(await signatures()).includes(`jws-kubeconfig-${id}`));
    const short = (await joinery('token', 'create', '--ttl', '3s')).slice(0, 6);
    await until('deleted', async () => !(await joinery('token', 'list')).includes(short));
    const absent = await attempt('token', 'delete', short);
    expect([absent.code, absent.stderr]).toEqual([5, expect.stringContaining(`no bootstrap token ${short}`)]);
  });

  test('the printed join command works for join run and for kubeadm join', async () => {
    const line = await joinery('token', 'create', '--print-join-command', '--ttl', '5m');
    const [program, word, ...args] = line.split(' ');
    expect([program, word, args[0], args.at(-1)]).toEqual(['join', 'run', cluster.server, cluster.caHash]);
    await until('signed', async () => (await signatures()).includes(`jws-kubeconfig-${args[2]?.slice(0, 6)}`));

    const root = join(folder, 'm');
    mkdirSync(root);
    const kubelet = [process.execPath, command, 'sandbox', 'kubelet'];
    await makeMachine(root, { hostName: 'w7', kubelet, kubeletVersion: 'v1.20.2' });
    const planned = JSON.parse(
      await joinery(
        'run',
        ...args,
        '--root',
        root,
        '--dry-run',
        '--ignore-preflight-errors',
        'all',
        '--output',
        'json',
      ),
    );
    expect(planned.status).toBe('succeeded');
    const csr = { kind: 'api', verb: 'create', resource: 'certificatesigningrequests', checked: 'dry-run' };
    expect(planned.steps.flatMap(({ changes }: { changes: object[] }) => changes)).toContainEqual(
      expect.objectContaining(csr),
    );
    // Preflight is the only phase of kubeadm that changes nothing. It reads the cluster's configuration with the token.
    const output = await kubeadm('join', 'phase', 'preflight', ...args, '--ignore-preflight-errors', 'all');
    expect(output).toContain('Reading configuration from the cluster');
    expect(await cluster.kubectl(['get', 'csr', '-o', 'name'])).toBe('');
  });

  test('the printed CA hash equals that of OpenSSL', async () => {
    const ca = join(dirname(cluster.adminKubeconfig), 'pki/ca.crt');
    for (const file of [ca, cluster.adminKubeconfig]) expect(await joinery('ca-hash', file)).toBe(cluster.caHash);
  });

  test('a bootstrap token or an anonymous user may not manage tokens', async () => {
    const kubeconfig = join(folder, 'token.conf');
    await must(['cp', cluster.adminKubeconfig, kubeconfig]);
    const config = (...args: string[]) => cluster.kubectl(['config', ...args, '--kubeconfig', kubeconfig]);
    const context = (await config('current-context')).trim();
    for (const [token, status] of [
      [cluster.token, 403],
      ['stranger', 401],
    ] as const) {
      await config('set-credentials', 'other', '--token', token);
      await config('set-context', context, '--user', 'other');
      const { code, stderr } = await attempt('token', 'list', '--kubeconfig', kubeconfig);
      expect([code, stderr]).toEqual([
        5,
        expect.stringMatching(`E_KUBECONFIG_ACCESS: .* list bootstrap tokens \\(HTTP ${status}\\)`),
      ]);
    }
  });
});
