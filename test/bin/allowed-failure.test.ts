/** A failure that the pipeline allows, and the end of its run. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratch } from '../helpers/machine.ts';
import { cli } from './cli.ts';

const ALLOWED = '! may-fail (';

/** A pipeline whose first step fails and may, and whose last step is this program. */
async function machineWith(last: 'true' | 'false') {
  const root = await scratch();
  await mkdir(join(root, 'usr/bin'), { recursive: true });
  for (const [name, code] of Object.entries({ true: 0, false: 1 }))
    await writeFile(join(root, 'usr/bin', name), `#!/bin/sh\nexit ${code}\n`, { mode: 0o755 });
  const command = (id: string, program: string, more: string) =>
    `  - { id: ${id}, uses: command, with: { argv: ["${program}"], irreversible: nothing to undo }, ${more} }`;
  const head = 'apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: allowed }\nsteps:';
  const steps = [command('may-fail', 'false', 'allowFailure: true'), command('last', last, 'needs: [may-fail]')];
  const file = join(root, 'allowed.yaml');
  await writeFile(file, `${[head, ...steps].join('\n')}\n`);
  return { root, run: ['run', '--pipeline', file, '--root', root] };
}

test('an undo does not print the errors of the run that it undoes', async () => {
  const { root, run } = await machineWith('true');
  const done = await cli(run);
  expect([done.code, done.stderr.includes(ALLOWED)]).toEqual([0, true]);
  const undone = await cli(['undo', '--yes', '--root', root]);
  expect([undone.code, undone.stdout]).toEqual([0, expect.stringContaining('is undone. 2 changes')]);
  expect(undone.stderr).not.toContain('E_COMMAND_FAILED');
});

test('a run that is undone after a failure prints that failure alone as an error', async () => {
  const { run } = await machineWith('false');
  const { code, stderr } = await cli([...run, '--on-failure', 'undo']);
  expect([code, stderr.match(/^E_\w+ in step \S+:/gm)]).toEqual([6, ['E_COMMAND_FAILED in step last:']]);
});
