import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { pastedWords } from '../../bin/inputs/pasted.ts';
import { readTextFile } from '../../bin/inputs/read-text.ts';
import { joinErrorOf } from '../helpers/errors.ts';

const LINE = ['1.2.3.4:6443', '--token', 'abcdef.0123456789abcdef'];

describe('a pasted line', () => {
  test.each([
    ['a prompt, sudo and the command', ['$', 'sudo', 'kubeadm', 'join', ...LINE]],
    ['the command alone', ['kubeadm', 'join', ...LINE]],
    ['quotes around the whole line', [`# kubeadm join ${LINE.join(' ')}`]],
    ['a backslash and a blank that continue it', ['1.2.3.4:6443', ' --token', LINE[2] ?? '']],
    ['a backslash of its own', ['1.2.3.4:6443', '\\', '--token', LINE[2] ?? '', '\\']],
    ['line breaks within words', ['1.2.3.4:6443 \\\n  --token', LINE[2] ?? '']],
    ['carriage returns', LINE.map((word) => `${word}\r`)],
    ['blanks of a web page between words', [`${LINE[0]}\u00a0--token`, LINE[2] ?? '']],
    ['blanks that do not show', LINE.map((word) => `\u00a0${word}\u200b`)],
  ])('a pasted line is read if it has %s', (_, argv) => {
    expect(pastedWords(argv)).toEqual(LINE);
  });

  test('a pasted line keeps an empty value, a word in the middle and ordinary values', () => {
    const argv = ['--config', '', 'x', '--node-name', 'join', '--cri-socket=unix:///a b', '—'];
    expect(pastedWords(argv)).toEqual(argv);
  });

  test.each([
    ['–token', '"–token" begins with the character – (en dash, U+2013), which is not a hyphen', '--token'],
    [
      '—node-name=x',
      '"—node-name" begins with the character — (em dash, U+2014), which is not a hyphen',
      '--node-name',
    ],
    ['-−token', '"−token" begins with the character − (minus sign, U+2212), which is not a hyphen', '--token'],
    ['“abcdef', 'a value has the character “ (quotation mark, U+201C), which is not a quote of the shell', 'quotes'],
    ['--token=‘x', 'a value has the character ‘ (quotation mark, U+2018), which is not a quote of the shell', 'quotes'],
  ])('a pasted line with characters of a web page is refused by their names: %s', async (word, message, hint) => {
    const error = await joinErrorOf(() => pastedWords([word]));
    expect(error).toMatchObject({ code: 'E_USAGE', exitCode: 2, message, hint: expect.stringContaining(hint) });
  });
});

describe('a text file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'text-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const text = 'kind: Über\r\n';
  const utf16 = Buffer.from(text, 'utf16le');

  test.each([
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${text}`)],
    ['UTF-16 of Windows', Buffer.concat([Buffer.from([0xff, 0xfe]), utf16])],
    ['UTF-16 in the other order', Buffer.concat([Buffer.from([0xff, 0xfe]), utf16]).swap16()],
    ['UTF-16 without a byte order mark', utf16],
    ['UTF-16 in the other order without a byte order mark', Buffer.from(utf16).swap16()],
  ])('a text file is read as it was written in %s', (_, bytes) => {
    const path = join(folder, 'text');
    writeFileSync(path, bytes);
    expect(readTextFile(path)).toBe(text);
  });
});
