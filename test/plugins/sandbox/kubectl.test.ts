import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Sandbox, startSandbox } from '../../../plugins/sandbox/index.ts';
import { ask, CLUSTER_INFO, CSRS, csrObject } from './client.ts';

function hasKubectl(): boolean {
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const found = hasKubectl();

describe.skipIf(!found)(`kubectl${found ? '' : ' (skipped: it is not on PATH)'}`, () => {
  let sandbox: Sandbox;
  let folder: string;
  beforeAll(async () => {
    sandbox = await startSandbox({ autoApprove: false });
    folder = await mkdtemp(join(tmpdir(), 'kubectl-'));
    await writeFile(join(folder, 'admin.conf'), sandbox.adminKubeconfig);
  });
  afterAll(async () => {
    await sandbox.close();
    await rm(folder, { recursive: true });
  });

  const kubectl = async (...args: string[]): Promise<string> => {
    const env = { PATH: process.env.PATH, HOME: folder, KUBECONFIG: join(folder, 'admin.conf') };
    return (await promisify(execFile)('kubectl', args, { env })).stdout;
  };
  const table = (text: string) =>
    text
      .trim()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
  const makeCsr = async () => {
    const how = { method: 'POST', token: sandbox.token, body: csrObject('w1') };
    return (await ask(sandbox, CSRS, how)).json.metadata.name;
  };

  test('kubectl shows a pending CSR, approves it, and shows it issued', async () => {
    const name = await makeCsr();
    const requestor = `system:bootstrap:${sandbox.token.slice(0, 6)}`;
    const [header, row] = table(await kubectl('get', 'csr', name));
    expect(header).toEqual(['NAME', 'AGE', 'SIGNERNAME', 'REQUESTOR', 'CONDITION']);
    expect(row?.slice(2)).toEqual(['kubernetes.io/kube-apiserver-client-kubelet', requestor, 'Pending']);
    expect(await kubectl('certificate', 'approve', name)).toContain('approved');
    await vi.waitFor(async () => expect(await kubectl('get', 'csr')).toContain('Approved,Issued'), 5000);
    expect(await kubectl('describe', 'csr', name)).toContain('Common Name:    system:node:w1');
  });
  test('kubectl denies a CSR', async () => {
    const name = await makeCsr();
    await kubectl('certificate', 'deny', name);
    expect(table(await kubectl('get', 'csr', name))[1]?.at(-1)).toBe('Denied');
  });
  test('kubectl shows Nodes and deletes one', async () => {
    const status = { conditions: [{ type: 'Ready', status: 'True' }], nodeInfo: { kubeletVersion: 'v1.36.2' } };
    sandbox.store.create('nodes', { metadata: { name: 'w1' }, status });
    const [header, row] = table(await kubectl('get', 'nodes'));
    expect(header).toEqual(['NAME', 'STATUS', 'ROLES', 'AGE', 'VERSION']);
    expect(row).toEqual(['w1', 'Ready', '<none>', expect.stringMatching(/^\d+s$/), 'v1.36.2']);
    expect(await kubectl('delete', 'node', 'w1')).toContain('node "w1" deleted');
    expect(sandbox.store.get('nodes', 'w1')).toBeUndefined();
  });
  test('kubectl shows ConfigMaps and Secrets', async () => {
    expect(table(await kubectl('get', 'cm', '-n', 'kube-public'))[1]?.slice(0, 2)).toEqual(['cluster-info', '2']);
    expect(await kubectl('get', 'secrets', '-n', 'kube-system')).toContain('bootstrap.kubernetes.io/token   7');
  });
  test('kubectl creates a bootstrap token, finds it by its type, and deletes it', async () => {
    const fields = { 'token-id': 'second', 'token-secret': '0123456789abcdef', 'usage-bootstrap-signing': 'true' };
    const literals = Object.entries({ ...fields, 'usage-bootstrap-authentication': 'true' });
    const type = 'bootstrap.kubernetes.io/token';
    const secret = ['secret', 'bootstrap-token-second', '-n', 'kube-system'];
    const typed = literals.map(([key, value]) => `--from-literal=${key}=${value}`);
    await kubectl('create', 'secret', 'generic', ...secret.slice(1), '--type', type, ...typed);
    const signatures = async () => Object.keys((await ask(sandbox, CLUSTER_INFO)).json.data ?? {});
    await vi.waitFor(async () => expect(await signatures()).toContain('jws-kubeconfig-second'));
    expect((await ask(sandbox, '/api', { token: 'second.0123456789abcdef' })).code).toBe(200);
    const found = await kubectl(
      'get',
      'secrets',
      '-n',
      'kube-system',
      '--field-selector',
      `type=${type}`,
      '-o',
      'name',
    );
    expect(found.trim().split('\n')).toEqual(
      ['secret/bootstrap-token-second', `secret/bootstrap-token-${sandbox.token.slice(0, 6)}`].sort(),
    );
    expect(await kubectl('delete', ...secret)).toContain('deleted');
    await vi.waitFor(async () => expect(await signatures()).not.toContain('jws-kubeconfig-second'));
  });
  test('kubectl turns automatic approval off as the documentation describes', async () => {
    sandbox.autoApprove = true;
    await kubectl('delete', 'clusterrolebinding', 'kubeadm:node-autoapprove-bootstrap');
    expect(sandbox.autoApprove).toBe(false);
  });
  test('kubectl auth can-i reports permissions', async () => {
    expect((await kubectl('auth', 'can-i', 'create', 'nodes')).trim()).toBe('yes');
  });
});
