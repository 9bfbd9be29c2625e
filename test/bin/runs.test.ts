import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, scene } from './cli.ts';

const runFolder = async (root: string): Promise<string> => {
  const [id, ...more] = await readdir(join(root, 'var/lib/joinery/runs'));
  expect(more).toEqual([]);
  return join(root, 'var/lib/joinery/runs', id ?? '');
};

describe('a join that is over', () => {
  test('is listed and shown, and undone leaves the machine as it was', { timeout: 60_000 }, async () => {
    const { args, root, tree, sandbox } = await scene();
    await mkdir(join(root, 'etc/kubernetes'));
    await writeFile(join(root, 'etc/kubernetes/kubelet.conf'), 'an old one\n', { mode: 0o640 });
    await mkdir(join(root, 'var/lib/kubelet/pki'), { recursive: true });
    await chmod(join(root, 'var/lib/kubelet/pki'), 0o750);
    await symlink('/nowhere', join(root, 'var/lib/kubelet/pki/kubelet-client-current.pem'));
    const before = await tree();
    const ran = await cli(args('run', '--ignore-preflight-errors', 'all'));
    expect(ran.stderr).not.toMatch(/^E_/m);
    expect(ran.code).toBe(0);

    const listed = await cli(['runs', '--root', root]);
    expect(listed.stdout).toMatch(/RUN +BEGUN +PIPELINE +NODE +STATE +TOOK\n\S+ +\S+ \S+ +join-worker +w1 +succeeded/);
    const shown = await cli(['runs', 'show', '--root', root, '--output', 'json']);
    expect(JSON.parse(shown.stdout)).toMatchObject({ kind: 'Run', status: 'succeeded', nodeName: 'w1' });
    const journal = await readFile(join(await runFolder(root), 'journal.jsonl'), 'utf8');
    expect(journal).not.toContain(sandbox.token.split('.')[1]);
    expect(journal).not.toContain('PRIVATE KEY');
    expect((await readdir(join(root, 'run'))).includes('joinery')).toBe(false);

    const unsure = await cli(['undo', '--root', root]);
    expect(unsure.stderr).toContain('E_UNDO_UNCONFIRMED');
    expect(unsure.stderr).toContain('put back /etc/kubernetes/kubelet.conf');
    expect(unsure.code).toBe(2);

    const undone = await cli(['undo', '--yes', '--root', root]);
    expect(undone.stderr).not.toMatch(/^E_/m);
    expect(undone.stdout).toContain('is undone.');
    expect(undone.stdout).toContain('kubectl delete certificatesigningrequests');
    expect(undone.code).toBe(0);
    expect(await tree()).toEqual(before);
    expect(await readdir(await runFolder(root))).toEqual(['journal.jsonl']);
    expect((await cli(['undo', '--yes', '--root', root])).stderr).toContain('E_RUN_NONE');

    const again = await cli(args('run', '--ignore-preflight-errors', 'all'));
    expect(again.code, again.stderr).toBe(0); // the Node was marked as not ready, so its name is free
  });
});
