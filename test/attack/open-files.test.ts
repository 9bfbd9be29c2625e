import { execFileSync, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { fail, isJoinError } from '../../engine/sdk/errors.ts';
import { scratch } from '../helpers/machine.ts';
import { PROJECT } from '../helpers/sources.ts';

let seen: Record<string, { code: string; message: string; hint: string; transient: boolean }>;
beforeAll(() => {
  const child = fileURLToPath(new URL('open-files-child.ts', import.meta.url));
  seen = JSON.parse(execFileSync(process.execPath, ['--import', 'tsx', child], { cwd: PROJECT, encoding: 'utf8' }));
});

describe('a process that can open no more files', () => {
  test.each([
    ['a file', '/etc/hostname'],
    ['a server', 'https://127.0.0.1:1'],
    ['a URL', 'http://127.0.0.1:1'],
    ['a port', '127.0.0.1:1'],
    ['a container runtime', '/run/absent.sock'],
    ['a pipeline', '/etc/hostname'],
    ['a program', '/usr/bin/true'],
  ])('a process that can open no more files says so of %s, names it, and hints at the limit', (what, place) => {
    expect(seen[what]).toEqual({
      code: 'E_OPEN_FILES',
      message: `this process has too many open files (EMFILE), and needs one more for ${place}`,
      hint: 'Raise the limit of this shell: ulimit -n 65536. Then run the same command again.',
      transient: false,
    });
  });
});

describe('a machine that can open no more files', () => {
  test('a machine that can open no more files has an error and a hint of its own', () => {
    const cause = Object.assign(new Error('ENFILE: file table overflow'), { code: 'ENFILE' });
    const error = fail('E_FILE', { path: '/etc/x', what: 'ENFILE' }, cause);
    expect(isJoinError(error) && error.code).toBe('E_OPEN_FILES');
    expect(error.message).toBe('this machine has too many open files (ENFILE), and needs one more for /etc/x');
    expect(error.hint).toMatch(/sysctl -w fs\.file-max=\d+/);
  });
});

async function runWith(openFiles: number) {
  const root = await scratch();
  const pipeline = join(root, 'pipeline.yaml');
  const steps = Array.from(
    { length: 8 },
    (_, index) => `  - { id: s${index}, uses: file, with: { path: /etc/f${index}, content: x } }\n`,
  );
  const text = `apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: x }\nsteps:\n${steps.join('')}`;
  await writeFile(pipeline, text, { mode: 0o644 });
  const command = ['bin/join.cjs', 'run', '--pipeline', pipeline, '--root', root];
  const limited = ['-c', `ulimit -n ${openFiles}; exec "$@"`, 'sh', process.execPath, ...command];
  return spawnSync('bash', limited, { cwd: PROJECT, encoding: 'utf8' });
}

describe('a run that may open only', () => {
  test.each([18, 19, 20, 21, 22, 23, 24, 25, 26])(
    'a run that may open only %i files succeeds, or reports the limit',
    async (openFiles) => {
      const { status, stderr } = await runWith(openFiles);
      if (status === 0) return;
      expect(stderr).toContain('E_OPEN_FILES');
      expect(stderr).not.toContain('This is a bug');
      expect(status).toBe(6);
    },
  );
});
