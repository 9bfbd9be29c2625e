import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { cli, obstruct, project, scene, start } from './cli.ts';
import { documentOf } from './documents.ts';

const runFolder = async (root: string): Promise<string> => {
  const [id, ...more] = await readdir(join(root, 'var/lib/joinery/runs'));
  expect(more).toEqual([]);
  return join(root, 'var/lib/joinery/runs', id ?? '');
};

describe('a join that is over', () => {
  test('a completed join is listed, and its undo restores the machine', { timeout: 60_000 }, async () => {
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
    expect(listed.stdout).toMatch(
      /RUN +STARTED +PIPELINE +NODE +STATUS +DURATION +NEXT\n\S+ +\S+ \S+ [+-]\d\d:\d\d +join-worker +w1 +succeeded/,
    );
    const [run] = documentOf('RunList', (await cli(['runs', '--root', root, '--output', 'json'])).stdout).runs;
    expect(run).toMatchObject({ status: 'succeeded', nodeName: 'w1' });
    const document = documentOf('Run', (await cli(['runs', 'show', '--root', root, '--output', 'json'])).stdout);
    expect(document).toMatchObject(run);
    expect(document.steps.map(({ id }: { id: string }) => id)).toEqual(
      expect.arrayContaining(['discovery', 'node-ready']),
    );
    const journal = await readFile(join(await runFolder(root), 'journal.jsonl'), 'utf8');
    expect(journal).not.toContain(sandbox.token.split('.')[1]);
    expect(journal).not.toContain('PRIVATE KEY');
    expect((await readdir(join(root, 'run'))).includes('joinery')).toBe(false);

    const unsure = await cli(['undo', '--root', root]);
    expect(unsure.stderr).toContain('E_UNDO_UNCONFIRMED');
    expect(unsure.stderr).toContain('restore /etc/kubernetes/kubelet.conf');
    expect(unsure.code).toBe(2);

    const undone = await cli(['undo', '--yes', '--root', root, '--output', 'json']);
    expect([undone.code, undone.stderr]).toEqual([0, expect.not.stringMatching(/^E_/m)]);
    const { items, ...result } = documentOf('UndoResult', undone.stdout);
    expect(result).toMatchObject({ id: run.id, pipeline: 'join-worker', status: 'undone' });
    const stays = items.filter(({ outcome }: { outcome: string }) => outcome === 'stays');
    expect(stays.map(({ why }: { why: string }) => why).join()).toContain('kubectl delete certificatesigningrequests');
    documentOf('Run', (await cli(['runs', 'show', '--root', root, '--output', 'json'])).stdout);
    expect(await tree()).toEqual(before);
    expect(await readdir(await runFolder(root))).toEqual(['events.jsonl', 'journal.jsonl']);
    expect((await cli(['undo', '--yes', '--root', root])).stderr).toContain('E_RUN_NONE');

    const again = await cli(args('run', '--ignore-preflight-errors', 'all'));
    expect(again.code, again.stderr).toBe(0); // the Node was marked as not ready, so its name is free
  });
});

const CSRS = '/apis/certificates.k8s.io/v1/certificatesigningrequests';

async function waitFor<T>(find: () => T | undefined): Promise<T> {
  for (const from = Date.now(); Date.now() < from + 10_000; await sleep(20)) {
    const found = find();
    if (found !== undefined) return found;
  }
  throw new Error('not within 10 s');
}

/** A run that has got its certificate and written its identity, and then failed. */
async function halfway() {
  const setup = await scene();
  const before = await setup.tree();
  const clear = await obstruct(setup.root);
  const failed = await cli(setup.args('run'));
  expect([failed.code, failed.stderr]).toEqual([6, expect.stringContaining('E_FILE in step kubelet-config')]);
  const [id = ''] = await readdir(join(setup.root, 'var/lib/joinery/runs'));
  return { ...setup, before, clear, failed, id };
}

describe('a join that failed half-way', () => {
  test('a failed join prints how to resume and undo it, and a resume does not repeat completed steps', async () => {
    const { failed, id, clear, root, sandbox } = await halfway();
    expect(failed.stdout).toContain(`To resume: bin/join resume ${id} --root ${root}\n`);
    expect(failed.stdout).toContain(`To undo:   bin/join undo ${id} --root ${root}\n`);
    const listed = await cli(['runs', '--root', root]);
    expect(listed.stdout).toMatch(new RegExp(`failed +\\S+ s +bin/join resume ${id} --root ${root}$`, 'm'));
    const attached = await cli(['attach', id, '--root', root]);
    expect(attached.code).toBe(failed.code);
    expect(attached.stderr).toContain(`Then run: bin/join resume ${id} --root ${root}\n`);
    const asked = sandbox.store.requests.length;
    await clear();
    const resumed = await cli(['resume', '--root', root]);
    expect(resumed.code, resumed.stderr).toBe(0);
    for (const step of ['preflight', 'discovery', 'kubelet-version', 'tls-bootstrap', 'kubeconfig'])
      expect(resumed.stderr).toContain(`✓ ${step} (already done)`);
    expect(sandbox.store.requests.slice(asked).map(({ path }) => path)).not.toContain(CSRS);
    expect(sandbox.store.list('certificatesigningrequests')).toHaveLength(1);
    expect((await cli(['resume', id, '--root', root])).stderr).toContain('E_RUN_CLOSED');
    expect((await cli(['resume', '--root', root])).stderr).toContain('E_RUN_NONE');
  });

  test('the same command resumes a failed join, even with a new token', async () => {
    const { args, id, clear, sandbox, root } = await halfway();
    await clear();
    const other = args('run').map((word) =>
      word === sandbox.token ? `${sandbox.token.slice(0, 7)}${'x'.repeat(16)}` : word,
    );
    const again = await cli(other);
    expect(again.stderr).toContain(`Resuming run ${id}, which has the same inputs.`);
    // The identity of the machine is already on disk.
    expect([again.code, again.stderr]).toEqual([0, expect.not.stringMatching(/^E_/m)]);
    expect((await cli(args('run'))).stdout).toContain('no changes needed');
    expect(await readdir(join(root, 'var/lib/joinery/runs'))).toEqual([id]);
  });

  test('a different command for an unfinished join is refused, with the difference and a way out', async () => {
    const { args, id, tree } = await halfway();
    const at = await tree();
    const refused = await cli(args('run', '--node-name', 'other', '--wait', 'ready'));
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(
      `E_RUN_UNFINISHED: run ${id} is unfinished, and was started with a different --nodeName`.replace(
        'nodeName',
        'node-name',
      ),
    );
    expect(refused.stderr).toMatch(/--wait[\s\S]*join resume \S+[\s\S]*join undo \S+/);
    expect(await tree()).toEqual(at);
  });

  test('after a reboot, join resume requires the token and takes it as a flag', async () => {
    const { root, id, clear, sandbox } = await halfway();
    await clear();
    await rm(join(root, 'run/joinery'), { recursive: true });
    const asked = await cli(['resume', '--root', root]);
    expect([asked.code, asked.stderr]).toEqual([
      2,
      expect.stringContaining(`join resume ${id} --token @FILE --root ${root}\n`),
    ]);
    const file = join(root, 'token');
    await writeFile(file, `${sandbox.token}\n`, { mode: 0o600 });
    const resumed = await cli(['resume', '--root', root, '--token', `@${file}`]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(sandbox.store.list('certificatesigningrequests')).toHaveLength(1); // the identity on disk is found again
  });

  test('join resume refuses a pipeline that has changed since the run started', async () => {
    const { args, root } = await scene();
    const mine = join(root, 'mine.yaml');
    const shipped = await readFile(join(project, 'pipelines/join-worker.yaml'), 'utf8');
    await writeFile(mine, shipped);
    await obstruct(root);
    expect((await cli(args('run', '--pipeline', mine))).code).toBe(6);
    await writeFile(mine, `${shipped}\n# changed\n`);
    const refused = await cli(['resume', '--root', root]);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('E_RUN_CHANGED')]);
    expect((await cli(['undo', '--yes', '--root', root])).code).toBe(0); // which needs no pipeline
  });

  test('join undo keeps files that were changed since the run, unless --overwrite is given', async () => {
    const { root, id, before, clear, tree } = await halfway();
    await clear();
    const conf = join(root, 'etc/kubernetes/kubelet.conf');
    await writeFile(conf, `${await readFile(conf, 'utf8')}# by hand\n`);
    const undone = await cli(['undo', id, '--yes', '--root', root]);
    expect([undone.code, undone.stderr]).toEqual([6, expect.stringContaining('E_UNDO_REFUSED')]);
    expect(undone.stdout).toContain('kubelet.conf was not restored');
    expect(undone.stdout).not.toContain('# by hand'); // only its owner may read the file
    const left = Object.keys(await tree()).filter((path) => !(path in before) && !path.startsWith('/run/joinery/'));
    expect(left).toEqual(['/etc/kubernetes/kubelet.conf']);
    expect((await cli(['runs', '--root', root])).stdout).toMatch(/partly undone +\S+ s +bin\/join undo \S+ --root/);
    const still = documentOf('UndoResult', (await cli(['undo', '--yes', '--root', root, '--output', 'json'])).stdout);
    expect(still).toMatchObject({ status: 'undone-in-part', error: { code: 'E_UNDO_REFUSED' } });
    expect(still.items).toMatchObject([
      { outcome: 'refused', change: { path: '/etc/kubernetes/kubelet.conf' } },
      { outcome: 'failed', change: { path: '/etc/kubernetes' } },
    ]);
    expect((await cli(['undo', '--yes', '--overwrite', '--root', root])).code).toBe(0);
    expect(await tree()).toEqual(before);
  });
});

describe('Ctrl-C', () => {
  test('Ctrl-C undoes a join, or keeps it for a resume with --on-failure keep', async () => {
    const { args, root, sandbox, tree } = await scene({ autoApprove: false });
    const before = await tree();
    const first = start(args('run'));
    await waitFor(() => sandbox.store.list('certificatesigningrequests')[0]);
    first.child.kill('SIGINT');
    const undone = await first.outcome;
    expect([undone.code, undone.stdout]).toEqual([
      130,
      expect.stringMatching(/after \S+ s: 1 change: 1 kept\.\n {2}certificatesigningrequests \S+ is kept/),
    ]);
    expect(undone.stderr).toContain('To continue, run the same command again.');
    expect(await tree()).toEqual(before);
    expect((await cli(['runs', '--root', root])).stdout).toContain('undone');

    const second = start(args('run', '--on-failure', 'keep'));
    await waitFor(() => sandbox.store.list('certificatesigningrequests')[1]);
    second.child.kill('SIGINT');
    const kept = await second.outcome;
    expect([kept.code, kept.stdout]).toEqual([130, expect.stringMatching(/join resume \S+/)]);
    sandbox.autoApprove = true;
    expect((await cli(['resume', '--root', root])).code).toBe(0);
    expect(sandbox.store.list('certificatesigningrequests')).toHaveLength(2); // the kept run found its own again
  });

  test('a second Ctrl-C stops the undo of a join, and prints how to resume', async () => {
    const { args, root, sandbox } = await scene({ profile: '1.20' }); // its joins annotate the Node
    const systemctl = join(root, 'usr/bin/systemctl');
    await rename(systemctl, `${systemctl}.real`);
    await writeFile(systemctl, `#!/bin/sh\n[ "$1" = stop ] && sleep 3\nexec ${systemctl}.real "$@"\n`, { mode: 0o755 });
    sandbox.faults.add({ effect: 'latency', latencyMs: 60_000, method: 'PATCH', path: '/api/v1/nodes', times: 100 });
    const { child, outcome } = start(args('run'));
    await waitFor(() => existsSync(join(root, 'run/kubelet.pid')) || undefined);
    await sleep(500);
    child.kill('SIGINT');
    await sleep(1_000); // the kubelet is being stopped
    child.kill('SIGINT');
    const { code, stdout } = await outcome;
    expect([code, stdout]).toEqual([130, expect.stringMatching(/join resume \S+/)]);
    expect((await cli(['runs', '--root', root])).stdout).toMatch(/cancelled|interrupted|partly undone/);
    sandbox.faults.clear();
    expect((await cli(['undo', '--yes', '--root', root])).code).toBe(0);
  });
});

describe('runs', () => {
  test('a second run on the same machine is refused while the first is in progress', async () => {
    const { args, sandbox, root } = await scene({ autoApprove: false });
    const first = start(args('run'));
    await waitFor(() => sandbox.store.list('certificatesigningrequests')[0]);
    const second = await cli(args('run'));
    expect([second.code, second.stderr]).toEqual([2, expect.stringContaining('E_RUN_LOCKED')]);
    expect((await cli(['undo', '--yes', '--root', root])).stderr).toContain('E_RUN_LOCKED');
    const [{ pid, status }] = documentOf(
      'RunList',
      (await cli(['runs', '--root', root, '--output', 'json'])).stdout,
    ).runs;
    expect([pid, status]).toEqual([first.child.pid, 'running']);
    expect((await cli(['runs', '--root', root])).stdout).toContain(`running (pid ${pid})`);
    first.child.kill('SIGKILL');
    await first.outcome;
    expect((await cli(['runs', '--root', root])).stdout).toMatch(/interrupted +\S+ s +bin\/join resume \S+ --root/);
    sandbox.autoApprove = true;
    expect((await cli(['resume', '--root', root])).code).toBe(0);
  });

  test('a run that is refused before it starts leaves nothing, not even a folder', async () => {
    const { args, root } = await scene();
    // The right pin is there too.
    expect((await cli(args('run', '--discovery-token-ca-cert-hash', `sha256:${'0'.repeat(64)}`))).code).toBe(0);
    const other = await scene();
    const words = other.args('run').map((word) => (word === other.sandbox.caPin ? `sha256:${'0'.repeat(64)}` : word));
    expect((await cli(words)).code).toBe(12);
    expect(await readdir(join(other.root, 'var/lib'))).not.toContain('joinery');
    expect(await readdir(join(other.root, 'run'))).not.toContain('joinery');
    expect(await readdir(join(root, 'var/lib'))).toContain('joinery');
  });

  test('an unfinished run is deleted by its ID only if that is confirmed, and then a new one can start', async () => {
    const { args, id, root } = await halfway();
    const unconfirmed = await cli(['runs', 'prune', '20', '--root', root]);
    expect([unconfirmed.code, unconfirmed.stderr]).toEqual([2, expect.stringContaining('E_PRUNE_UNCONFIRMED')]);
    expect((await cli(['runs', '--root', root])).stdout).toContain(id);
    expect((await cli(['runs', 'prune', '20', '--yes', '--root', root])).stdout).toContain(`Deleted ${id}.`);
    expect((await cli(['runs', '--root', root])).stdout).toContain('No run is recorded on this machine.');
    expect(await readdir(join(root, 'run'))).not.toContain('joinery');
    expect((await cli(args('run', '--node-name', 'other'))).stderr).not.toContain('E_RUN_UNFINISHED');
  });
});
