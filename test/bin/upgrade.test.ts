/** Runs of earlier versions, as they were left on a machine: `upgrade-VERSION` holds one that was killed in a wait. */
import { chmod, cp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cli, project } from './cli.ts';

const RUN = '20261130-134641-f5e0';
/** The journal names the file of its pipeline by its absolute path, so every test run uses this folder. */
const FOLDER = '/tmp/joinery-upgrade-0.1';
const LEFT_BEHIND_MS = 60_000;

/** The machine of the earlier version. Only one test at a time has the folder. Git keeps no modes. */
async function earlierMachine(): Promise<string> {
  const take = () =>
    mkdir(FOLDER).then(
      () => true,
      () => false,
    );
  while (!(await take())) {
    const { mtimeMs } = await stat(FOLDER).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > LEFT_BEHIND_MS) await rm(FOLDER, { recursive: true, force: true });
    await sleep(100);
  }
  onTestFinished(() => rm(FOLDER, { recursive: true, force: true }));
  await cp(join(project, 'test/bin/upgrade-0.1'), FOLDER, { recursive: true });
  const root = join(FOLDER, 'machine');
  for (const path of ['run/joinery', 'var/lib/joinery', 'var/lib/joinery/runs']) await chmod(join(root, path), 0o700);
  for (const path of [`run/joinery/${RUN}/input.password`, `var/lib/joinery/runs/${RUN}/journal.jsonl`, 'etc/password'])
    await chmod(join(root, path), 0o600);
  return root;
}

const text = (root: string, path: string) => readFile(join(root, path), 'utf8');

// The journal names root as the owner of a file, which only root can restore.
describe.skipIf(process.getuid?.() !== 0)('a run of version 0.1 (needs root)', () => {
  test('a run that version 0.1 left unfinished is resumed, and its finished steps are not repeated', async () => {
    const root = await earlierMachine();
    await writeFile(join(root, 'etc/motd'), 'changed since');
    await writeFile(join(root, 'etc/ready'), '');
    const { code, stdout, stderr } = await cli(['resume', '--root', root]);
    expect(`${stdout}${stderr}`).toContain('greet succeeded');
    expect(code).toBe(0);
    expect(await text(root, 'etc/motd')).toBe('changed since');
  });

  test('a run of version 0.1 is undone to the last byte, mode and owner', async () => {
    const root = await earlierMachine();
    const { code, stdout } = await cli(['undo', '--yes', '--root', root]);
    expect(stdout).toContain(`Run ${RUN} is undone.`);
    expect(code).toBe(0);
    expect(await text(root, 'etc/motd')).toBe('before\n');
    await expect(stat(join(root, 'etc/password'))).rejects.toThrow('ENOENT');
  });

  test('a run of version 0.1 that was resumed by this version can be undone', async () => {
    const root = await earlierMachine();
    await writeFile(join(root, 'etc/ready'), '');
    expect((await cli(['resume', '--root', root])).code).toBe(0);
    expect((await cli(['undo', '--yes', '--root', root])).code).toBe(0);
    expect(await text(root, 'etc/motd')).toBe('before\n');
  });
});
