/** The `join reset` command: it prints its plan, asks, and leaves a machine that can join again. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isReady, type NodeObject } from '../../engine/node/index.ts';
import { cli, scene } from './cli.ts';

test('join reset plans, asks, cleans up and keeps the history, and the machine can join again under its name', {
  timeout: 90_000,
}, async () => {
  const { args, root, tree, sandbox } = await scene();
  const before = await tree();
  expect((await cli(args('run'))).code).toBe(0);
  const joined = await tree();

  const planned = await cli(['reset', '--root', root, '--dry-run']);
  expect(planned.code, planned.stderr).toBe(0);
  for (const line of [
    'stop service kubelet',
    'remove /etc/kubernetes/kubelet.conf\n',
    'remove /var/lib/kubelet/pki/ and all below it\n',
    'patch nodes/status w1',
  ])
    expect(planned.stdout).toContain(`would ${line}`);
  expect(await tree()).toEqual(joined);

  const unasked = await cli(['reset', '--root', root]);
  expect([unasked.code, unasked.stderr]).toEqual([
    2,
    expect.stringMatching(/would stop service kubelet[\s\S]*E_RESET_UNCONFIRMED: confirmation required/),
  ]);
  expect(await tree()).toEqual(joined);

  const done = await cli(['reset', '--root', root, '--yes']);
  expect(done.code, done.stderr).toBe(0);
  expect(done.stderr).toContain('kubectl delete node w1');
  expect(await tree()).toEqual(before);
  expect(await readdir(join(root, 'var/lib/kubelet'))).toEqual([]);
  const listed = await cli(['runs', '--root', root]);
  expect(listed.stdout).toMatch(/join-worker +w1 +reset +\S+ s$/m);
  const [run = ''] = await readdir(join(root, 'var/lib/joinery/runs'));
  const kept = await readdir(join(root, 'var/lib/joinery/runs', run));
  expect(kept).toEqual(['events.jsonl', 'journal.jsonl']);
  const undo = await cli(['undo', run, '--yes', '--root', root]);
  expect([undo.code, undo.stderr]).toEqual([2, expect.stringContaining(`this machine was reset after run ${run}`)]);
  expect((await cli(['undo', '--yes', '--root', root])).stderr).toContain('E_RUN_NONE');
  expect(isReady(sandbox.store.get('nodes', 'w1') as NodeObject)).toBe(false);

  const again = await cli(['reset', '--root', root, '--yes', '--output', 'json']);
  expect([again.code, JSON.parse(again.stdout).status]).toEqual([0, 'succeeded']);
  const rejoined = await cli(args('run'));
  expect(rejoined.code, rejoined.stderr).toBe(0);
});
