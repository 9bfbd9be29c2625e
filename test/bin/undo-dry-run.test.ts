/** `join undo --dry-run`: what the undo would refuse, and what it cannot know. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratch } from '../helpers/machine.ts';
import { cli, scene, start } from './cli.ts';
import { documentOf } from './documents.ts';

const PIPELINE = `apiVersion: joinery.dev/v1
kind: Pipeline
metadata: { name: made }
steps:
  - { id: motd, uses: file, with: { path: /etc/motd, content: hello } }
  - { id: notes, uses: file, with: { path: /etc/made/notes, content: hello } }
  - { id: program, uses: command, with: { argv: [/bin/true], undo: [/bin/missing, --all] } }
`;

async function machine(): Promise<string> {
  const root = await scratch();
  await mkdir(join(root, 'etc'));
  await mkdir(join(root, 'bin'));
  await writeFile(join(root, 'bin/true'), '#!/bin/sh\n', { mode: 0o755 });
  await writeFile(join(root, 'p.yaml'), PIPELINE);
  const { code, stderr } = await cli(['run', '--pipeline', join(root, 'p.yaml'), '--root', root]);
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  return root;
}

test('a dry run of an undo names changed files, foreign files and missing programs', async () => {
  const root = await machine();
  await writeFile(join(root, 'etc/motd'), 'changed\n');
  await writeFile(join(root, 'etc/made/other'), 'x');
  const before = await cli(['runs', '--root', root]);
  const { code, stdout, stderr } = await cli(['undo', '--dry-run', '--root', root]);
  expect([code, stderr]).toEqual([6, '']);
  expect(stdout).toContain('As the machine is now:\n');
  expect(stdout).toMatch(/^ {2}\/etc\/motd would not be restored: it has changed since the run: it is now a file/m);
  expect(stdout).toContain('    +changed');
  expect(stdout).toMatch(/^ {2}\/etc\/made would not be restored: it is not empty.*other$/m);
  expect(stdout).toMatch(/would not be restored: .*no \/bin\/missing on PATH$/m);
  expect(stdout).toMatch(
    /A dry run cannot tell whether these succeed: \/bin\/missing --all\.\nThis was a dry run: nothing was changed\.\n$/,
  );
  expect(await readFile(join(root, 'etc/motd'), 'utf8')).toBe('changed\n');
  expect((await cli(['runs', '--root', root])).stdout).toBe(before.stdout);
});

test('the document of such a dry run says the same', async () => {
  const root = await machine();
  await writeFile(join(root, 'etc/motd'), 'changed\n');
  const { stdout } = await cli(['undo', '--dry-run', '-o', 'json', '--root', root]);
  const { findings, unknown } = documentOf('UndoPlan', stdout);
  expect(findings).toMatchObject([
    { step: 'program', outcome: 'not-undone' },
    { step: 'motd', outcome: 'not-undone', diff: expect.stringContaining('+changed') },
  ]);
  expect(unknown).toEqual(['/bin/missing --all']);
});

test('with --overwrite and --skip, the dry run foresees that the undo succeeds', async () => {
  const root = await machine();
  await writeFile(join(root, 'etc/motd'), 'changed\n');
  const args = ['--overwrite', '--skip', 'program', '--root', root];
  const { code, stdout } = await cli(['undo', '--dry-run', ...args]);
  expect([code, stdout]).toEqual([0, expect.not.stringContaining('would not be restored')]);
  expect((await cli(['undo', '--yes', ...args])).code).toBe(0);
});

test('a dry run of the undo of a join leaves cluster and machine alone, and the undo then does what it said', {
  timeout: 60_000,
}, async () => {
  const { args, root, sandbox } = await scene();
  expect((await cli([...args('run'), '--wait', 'ready'])).code).toBe(0); // later, the kubelet changes its Node
  const nodes = () => JSON.stringify(sandbox.store.list('nodes'));
  const [before, unit] = [nodes(), await readFile(join(root, 'etc/kubernetes/kubelet.conf'), 'utf8')];
  const { code, stdout } = await cli(['undo', '--dry-run', '--root', root]);
  expect([code, stdout]).toEqual([0, expect.stringContaining('service kubelet')]);
  expect(stdout).not.toContain('would not be');
  expect([nodes(), await readFile(join(root, 'etc/kubernetes/kubelet.conf'), 'utf8')]).toEqual([before, unit]);
  expect((await start(['undo', '--yes', '--root', root]).outcome).code).toBe(0);
});
