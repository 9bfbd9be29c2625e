import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { fail, isJoinError } from '../../engine/sdk/errors.ts';
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
    ['a container runtime', '/run/absent.sock'],
    ['a pipeline', '/etc/hostname'],
    ['a program', '/usr/bin/true'],
  ])('says so of %s, names it, and hints at the limit', (what, place) => {
    expect(seen[what]).toEqual({
      code: 'E_OPEN_FILES',
      message: `this process has too many open files (EMFILE), and needs one more for ${place}`,
      hint: 'Raise the limit of this shell: ulimit -n 65536. Then run the same command again.',
      transient: false,
    });
  });
});

describe('a machine that can open no more files', () => {
  test('has its own words and hint', () => {
    const cause = Object.assign(new Error('ENFILE: file table overflow'), { code: 'ENFILE' });
    const error = fail('E_FILE', { path: '/etc/x', what: 'ENFILE' }, cause);
    expect(isJoinError(error) && error.code).toBe('E_OPEN_FILES');
    expect(error.message).toBe('this machine has too many open files (ENFILE), and needs one more for /etc/x');
    expect(error.hint).toMatch(/sysctl -w fs\.file-max=\d+/);
  });
});
