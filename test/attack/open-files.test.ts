/** A limit of open files is reached anywhere, in any call. The error says so, wherever that is. */
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fail } from '../../engine/sdk/errors.ts';
import { withOpenFiles } from '../../engine/sdk/open-files.ts';
import { scratch } from '../helpers/machine.ts';
import { PROJECT } from '../helpers/sources.ts';

const errorOf = (code: string) => Object.assign(new Error(`${code}: too many open files, open '/x'`), { code });

async function runWith(openFiles: number) {
  const root = await scratch();
  const pipeline = join(root, 'pipeline.yaml');
  const steps = Array.from(
    { length: 8 },
    (_, index) => `  - { id: s${index}, uses: file, with: { path: /etc/f${index}, content: x } }\n`,
  ).join('');
  const text = `apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: x }\nsteps:\n${steps}`;
  await writeFile(pipeline, text, { mode: 0o644 });
  const command = ['bin/join.cjs', 'run', '--pipeline', pipeline, '--root', root];
  const limited = ['-c', `ulimit -n ${openFiles}; exec "$@"`, 'sh', process.execPath, ...command];
  const { status, stderr } = spawnSync('bash', limited, { cwd: PROJECT, encoding: 'utf8' });
  return { status, stderr };
}

describe('a limit of open files', () => {
  test.each([18, 19, 20, 21, 22, 23, 24, 25, 26])('of %i has its own error, or is enough', async (openFiles) => {
    const { status, stderr } = await runWith(openFiles);
    if (status === 0) return;
    expect(stderr).toContain('E_OPEN_FILES');
    expect(stderr).not.toContain('This is a bug');
    expect(status).toBe(6);
  });

  test.each([
    ['EMFILE', 'this process'],
    ['ENFILE', 'no process of this machine'],
  ])('is named by %s, with the one who has reached it', (code, who) => {
    const fromCause = fail('E_FILE', { path: '/x', what: code }, errorOf(code));
    expect([fromCause.code, fromCause.message]).toEqual(['E_OPEN_FILES', expect.stringContaining(who)]);
    expect(withOpenFiles(errorOf(code))).toMatchObject({ code: 'E_OPEN_FILES', exitCode: 6 });
  });

  test('does not end a connection that is tried again', () => {
    const error = fail('E_API_UNREACHABLE', { server: 'https://c', what: 'x' }, errorOf('EMFILE'));
    expect([error.code, error.transient]).toEqual(['E_API_UNREACHABLE', true]);
  });
});
