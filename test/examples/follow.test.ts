/** examples/follow: scripts in three languages that follow a run by its events and react to its exit code. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratch } from '../helpers/machine.ts';
import { PROJECT } from '../helpers/sources.ts';

const has = (program: string) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
const TIMEOUT = { timeout: 60_000 };
const MOTD = '  - { id: motd, uses: file, with: { path: /etc/motd, content: hello } }';
const ASKS = '  - { id: window, approval: { message: "Now?", deadline: 5m }, needs: [motd] }';
const LAST = '  - { id: last, uses: file, with: { path: /etc/last, content: x }, needs: [window] }';
const FAILS_ONCE =
  '  - { id: flaky, uses: command, needs: [motd], with: { argv: [flaky], irreversible: nothing to undo } }';

/** A scratch machine with a program that fails the first time, and `joinery` on the PATH. */
async function machine(...steps: string[]) {
  const folder = await scratch();
  const root = join(folder, 'machine');
  for (const name of ['etc', 'usr/bin', 'tmp']) mkdirSync(join(root, name), { recursive: true });
  const flaky = `[ -e ${folder}/second ] && exit 0; touch ${folder}/second; exit 1`;
  writeFileSync(join(root, 'usr/bin/flaky'), `#!/bin/sh\n${flaky}\n`, { mode: 0o755 });
  const launcher = `exec ${process.execPath} ${join(PROJECT, 'bin/join')} "$@"`;
  writeFileSync(join(folder, 'joinery'), `#!/bin/sh\n${launcher}\n`, { mode: 0o755 });
  const head = 'apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: follow }\nsteps:';
  writeFileSync(join(folder, 'follow.yaml'), `${[head, ...steps].join('\n')}\n`);
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}`, JOINERY_ROOT: root };
  const run = ['--pipeline', join(folder, 'follow.yaml'), '--root', root];
  const call = (program: string, script: string, ...words: string[]) => {
    const args = [join(PROJECT, 'examples/follow', script), ...words];
    const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, env, encoding: 'utf8' });
    return { ended: [status, ...stdout.trimEnd().split('\n')], stderr };
  };
  return { run, call };
}

test.skipIf(!has('jq'))(
  'the script in bash prints each step, and resumes a run that failed once',
  TIMEOUT,
  async () => {
    const { run, call } = await machine(MOTD, FAILS_ONCE);
    const { ended, stderr } = call('bash', 'follow.sh', ...run);
    expect(ended, stderr).toEqual([0, 'motd succeeded', 'flaky failed', 'flaky succeeded', 'joined']);
  },
);

test.skipIf(!has('python3'))('the script in Python answers the approvals of a detached run', TIMEOUT, async () => {
  const { run, call } = await machine(MOTD, ASKS, LAST);
  const { ended, stderr } = call('python3', 'follow.py', 'approve', ...run);
  expect(ended, stderr).toEqual([0, 'motd succeeded', 'window succeeded', 'last succeeded']);
});

test.skipIf(!has('python3'))('a denial ends the scripts in Python and Node with 8', TIMEOUT, async () => {
  const { run, call } = await machine(MOTD, ASKS, LAST);
  const denied = call('python3', 'follow.py', 'deny', ...run);
  expect(denied.ended, denied.stderr).toEqual([8, 'motd succeeded', 'window failed']);
  const { ended, stderr } = call(process.execPath, 'follow.mjs');
  expect(ended[0], stderr).toBe(8);
  expect(ended.at(-1)).toMatch(/^\S+ failed \(E_APPROVAL_DENIED in window\): 1 changes, 0 undone$/);
});
