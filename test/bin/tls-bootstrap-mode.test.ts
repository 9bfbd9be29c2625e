import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CertificateSigningRequest } from '../../plugins/sandbox/objects.ts';
import { cli, type Scene, scene, start } from './cli.ts';

const MODE = ['--tls-bootstrap-mode', 'kubelet'];
const BOOTSTRAP = '/etc/kubernetes/bootstrap-kubelet.conf';
const csrs = ({ sandbox }: Scene) => sandbox.store.list<CertificateSigningRequest>('certificatesigningrequests');
const withToken = async ({ sandbox, root, tree }: Scene): Promise<string[]> => {
  const [, secret = ''] = sandbox.token.split('.');
  const paths: string[] = [];
  for (const [path, entry] of Object.entries(await tree()))
    if (!entry.startsWith('→') && (await readFile(join(root, path), 'utf8')).includes(secret)) paths.push(path);
  return paths;
};

describe('join run --tls-bootstrap-mode kubelet', () => {
  test('in kubelet mode the kubelet sends the CSR, and no file of the join has the token', async () => {
    const setup = await scene();
    const before = await setup.tree();
    const { code, stderr } = await cli(setup.args('run', ...MODE, '--wait', 'ready'));
    expect(code, stderr).toBe(0);
    expect(csrs(setup).map(({ metadata }) => metadata.name)).toEqual([expect.stringMatching(/^csr-.....$/)]);
    expect(stderr).toMatch(/kubelet-wait-bootstrap: the kubelet has its certificate, valid until \d{4}-/);
    const added = Object.keys(await setup.tree()).filter((path) => before[path] === undefined);
    expect(added.map((path) => path.replace(/\d{4}(-\d\d){5}/, 'DATE')).sort()).toEqual([
      '/etc/kubernetes/kubelet.conf',
      '/etc/kubernetes/pki/ca.crt',
      '/var/lib/kubelet/config.yaml',
      '/var/lib/kubelet/instance-config.yaml',
      '/var/lib/kubelet/kubeadm-flags.env',
      '/var/lib/kubelet/pki/kubelet-client-DATE.pem',
      '/var/lib/kubelet/pki/kubelet-client-current.pem',
    ]);
    expect(await withToken(setup)).toEqual([]);

    const again = await cli(setup.args('run', ...MODE));
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('no changes needed')]);
    const direct = await cli(setup.args('run'));
    expect([direct.code, direct.stdout]).toEqual([0, expect.stringContaining('no changes needed')]);
    expect(csrs(setup)).toHaveLength(1);

    const undone = await cli(['undo', '--yes', '--root', setup.root]);
    expect(undone.code, undone.stderr).toBe(0);
    expect(await setup.tree()).toEqual(before);
    expect(existsSync(join(setup.root, 'var/lib/kubelet'))).toBe(false);
  });

  test('a dry run in kubelet mode shows what it can determine, and no token', async () => {
    const setup = await scene();
    const before = await setup.tree();
    const { code, stdout, stderr } = await cli(setup.args('run', ...MODE, '--dry-run'));
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(`would create ${BOOTSTRAP} (0600), secret`);
    expect(stdout).toContain('would start service kubelet');
    expect(stdout).toMatch(
      /\? kubelet-wait-bootstrap: .*\n +! a dry run cannot determine what another program will write/,
    );
    expect(stdout + stderr).not.toContain(setup.sandbox.token.split('.')[1]);
    expect(await setup.tree()).toEqual(before);
    expect(csrs(setup)).toEqual([]);
  });

  test('a join in kubelet mode that was killed while it waited resumes and deletes the token', async () => {
    const setup = await scene({ autoApprove: false });
    const { child, outcome } = start(setup.args('run', ...MODE));
    await expect.poll(() => csrs(setup).length, { timeout: 10_000 }).toBe(1);
    child.kill('SIGKILL');
    await outcome;
    // What an unfinished run still needs is on a tmpfs, for root alone.
    expect(await withToken(setup)).toEqual([BOOTSTRAP, expect.stringMatching(/^\/run\/joinery\/[^/]+\/input\.token$/)]);
    const resuming = start(['resume', '--root', setup.root]);
    setup.sandbox.autoApprove = true; // an administrator approves it
    const { code, stderr } = await resuming.outcome;
    expect(code, stderr).toBe(0);
    expect(csrs(setup)).toHaveLength(1);
    expect(await withToken(setup)).toEqual([]);
  });

  test('a join in kubelet mode that is stopped while it waits leaves no token and no kubelet', async () => {
    const setup = await scene({ autoApprove: false });
    const before = await setup.tree();
    const { child, outcome } = start(setup.args('run', ...MODE));
    await expect.poll(() => csrs(setup).length, { timeout: 10_000 }).toBe(1);
    child.kill('SIGINT');
    const { code, stderr } = await outcome;
    expect(code).toBe(130);
    expect(stderr).toContain("the kubelet's CSR will need manual approval:\n    kubectl get csr\n");
    expect(await setup.tree()).toEqual(before);
  });

  test('a join in kubelet mode replaces the identity of another node name, and an undo restores it', async () => {
    const setup = await scene();
    expect((await cli(setup.args('run', '--node-name', 'old'))).code).toBe(0);
    const before = await setup.tree();
    const { code, stderr } = await cli(setup.args('run', ...MODE, '--ignore-preflight-errors', 'all'));
    expect(code, stderr).toBe(0);
    expect(setup.sandbox.store.get('nodes', 'w1')).toBeDefined();
    const { code: undone, stderr: undoError } = await cli(['undo', '--yes', '--root', setup.root]);
    expect(undone, undoError).toBe(0);
    expect(await setup.tree()).toEqual(before);
  });
});
