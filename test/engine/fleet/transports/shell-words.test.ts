/** What ssh passes to the shell of a machine. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { remoteCommand } from '../../../../engine/fleet/transports/ssh.ts';

const SHELLS = ['/bin/sh', '/bin/bash', '/bin/zsh', '/bin/busybox'].filter((path) => existsSync(path));
const invocation = (shell: string) => (shell.endsWith('busybox') ? ['sh', '-c'] : ['-c']);
const ODD = ["'", '"', '$HOME', '`id`', '\\', '\n', '!', '*', '~', ' ', '-', '--', ';', '&', '|', '#', '\t', 'é', '😀'];
const word = fc.array(fc.oneof(fc.constantFrom(...ODD), fc.string({ unit: 'grapheme', maxLength: 5 }))).map((parts) =>
  // No argument of a program can contain the character NUL, and a lone surrogate is not UTF-8.
  parts.join('').replaceAll('\0', ''),
);

describe.each(SHELLS)('%s', (shell) => {
  test('every word reaches the program on the machine as it was', () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 6 }), (words) => {
        const argv = [process.execPath, '-e', 'console.log(JSON.stringify(process.argv.slice(1)))', '--', ...words];
        const text = execFileSync(shell, [...invocation(shell), remoteCommand(argv)], { encoding: 'utf8' });
        expect(JSON.parse(text)).toEqual(words);
      }),
      { numRuns: 15 },
    );
  });
  test.each([
    [0, 0],
    [7, 7],
    [254, 254],
    [255, 254], // 255 is that of ssh itself
  ])('a program that ends with %i ends with %i', (code, seen) => {
    const ended = () => execFileSync(shell, [...invocation(shell), remoteCommand(['sh', '-c', `exit ${code}`])]);
    if (seen === 0) return void ended();
    expect(ended).toThrow(expect.objectContaining({ status: seen }));
  });
});
