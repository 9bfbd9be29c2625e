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
  const telling: string[] = [];
  for (const [path, entry] of Object.entries(await tree()))
    if (!entry.startsWith('→') && (await readFile(join(root, path), 'utf8')).includes(secret)) telling.push(path);
  return telling;
};

describe('join run --tls-bootstrap-mode kubelet', () => {
  test('in kubelet mode the kubelet sends the CSR, and no file of the join has the token', async () => {
    const made = await scene();
    const before = await made.tree();
    const { code, stderr } = await cli(made.args('run', ...MODE, '--wait', 'ready'));
    expect(code, stderr).toBe(0);
    expect(csrs(made).map(({ metadata }) => metadata.name)).toEqual([expect.stringMatching(/^csr-.....$/)]);
    expect(stderr).toMatch(/kubelet-wait-bootstrap: the kubelet has its certificate, valid until \d{4}-/);
    const added = Object.keys(await made.tree()).filter((path) => before[path] === undefined);
    expect(added.map((path) => path.replace(/\d{4}(-\d\d){5}/, 'DATE')).sort()).toEqual([
      '/etc/kubernetes/kubelet.conf',
      '/etc/kubernetes/pki/ca.crt',
      '/var/lib/kubelet/config.yaml',
      '/var/lib/kubelet/kubeadm-flags.env',
      '/var/lib/kubelet/pki/kubelet-client-DATE.pem',
      '/var/lib/kubelet/pki/kubelet-client-current.pem',
    ]);
    expect(await withToken(made)).toEqual([]);

    const again = await cli(made.args('run', ...MODE));
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('no changes needed')]);
    const direct = await cli(made.args('run'));
    expect([direct.code, direct.stdout]).toEqual([0, expect.stringContaining('no changes needed')]);
    expect(csrs(made)).toHaveLength(1);

    const undone = await cli(['undo', '--yes', '--root', made.root]);
    expect(undone.code, undone.stderr).toBe(0);
    expect(await made.tree()).toEqual(before);
    expect(existsSync(join(made.root, 'var/lib/kubelet'))).toBe(false);
  });

  test('a dry run in kubelet mode shows what it can determine, and no token', async () => {
    const made = await scene();
    const before = await made.tree();
    const { code, stdout, stderr } = await cli(made.args('run', ...MODE, '--dry-run'));
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(`would create ${BOOTSTRAP} (0600), secret`);
    expect(stdout).toContain('would start service kubelet');
    expect(stdout).toMatch(
      /\? kubelet-wait-bootstrap: .*\n +! a dry run cannot determine what another program will write/,
    );
    expect(stdout + stderr).not.toContain(made.sandbox.token.split('.')[1]);
    expect(await made.tree()).toEqual(before);
    expect(csrs(made)).toEqual([]);
  });

  test('a join in kubelet mode that was killed while it waited resumes and deletes the token', async () => {
    const made = await scene({ autoApprove: false });
    const { child, outcome } = start(made.args('run', ...MODE));
    await expect.poll(() => csrs(made).length, { timeout: 10_000 }).toBe(1);
    child.kill('SIGKILL');
    await outcome;
    // What an unfinished run still needs is on a tmpfs, for root alone.
    expect(await withToken(made)).toEqual([BOOTSTRAP, expect.stringMatching(/^\/run\/joinery\/[^/]+\/input\.token$/)]);
    const resuming = start(['resume', '--root', made.root]);
    made.sandbox.autoApprove = true; // an administrator approves it
    const { code, stderr } = await resuming.outcome;
    expect(code, stderr).toBe(0);
    expect(csrs(made)).toHaveLength(1);
    expect(await withToken(made)).toEqual([]);
  });

  test('a join in kubelet mode that is stopped while it waits leaves no token and no kubelet', async () => {
    const made = await scene({ autoApprove: false });
    const before = await made.tree();
    const { child, outcome } = start(made.args('run', ...MODE));
    await expect.poll(() => csrs(made).length, { timeout: 10_000 }).toBe(1);
    child.kill('SIGINT');
    const { code, stderr } = await outcome;
    expect(code).toBe(130);
    expect(stderr).toContain("the kubelet's CSR will need manual approval:\n    kubectl get csr\n");
    expect(await made.tree()).toEqual(before);
  });

  test('a join in kubelet mode replaces the identity of another node name, and an undo restores it', async () => {
    const made = await scene();
    expect((await cli(made.args('run', '--node-name', 'old'))).code).toBe(0);
    const before = await made.tree();
    const { code, stderr } = await cli(made.args('run', ...MODE, '--ignore-preflight-errors', 'all'));
    expect(code, stderr).toBe(0);
    expect(made.sandbox.store.get('nodes', 'w1')).toBeDefined();
    const { code: undone, stderr: said } = await cli(['undo', '--yes', '--root', made.root]);
    expect(undone, said).toBe(0);
    expect(await made.tree()).toEqual(before);
  });
});
