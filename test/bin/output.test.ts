/** The formats of `--output`, colours, and how little `-q` prints. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { documentText } from '../../bin/render/document.ts';
import { scratch } from '../helpers/machine.ts';
import { cli } from './cli.ts';
import { documentOf } from './documents.ts';

test.each([
  [['runs'], 'RunList'],
  [['phase'], 'PhaseList'],
  [['pipeline', 'list'], 'PipelineList'],
  [['pipeline', 'explain', 'values'], 'PipelineExplanation'],
] as const)('join %j prints the same document as JSON, as YAML and in one line', async (words, kind) => {
  const root = words[0] === 'runs' ? ['--root', await scratch()] : [];
  const json = await cli([...words, ...root, '-o', 'json']);
  const document = documentOf(kind, json.stdout);
  expect(parse((await cli([...words, ...root, '--output=yaml'])).stdout)).toEqual(document);
  const line = await cli([...words, ...root, '-ojsonl']);
  expect(line.stdout.trimEnd()).not.toContain('\n');
  expect(JSON.parse(line.stdout)).toEqual(document);
});

test('a document as YAML holds no character that a terminal would interpret', async () => {
  const document = { 'a\u001b': 'red \u001b[31m\u009b', list: ['x\u202ey', 'plain'], lines: 'one\ntwo: \u0007\n' };
  const text = await documentText(document, 'yaml');
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  expect(parse(text)).toEqual(document);
});

test.each([
  [['run', '--root', '/nowhere', '-o', 'json'], 'RunResult', 'E_FILE'],
  [['run', '--no-such-flag', '--output=json'], 'RunResult', 'E_USAGE'],
  [['resme', '--output', 'json'], 'RunResult', 'E_COMMAND_UNKNOWN'],
  [['run', '--root', '/nowhere', '--output', 'jsonl'], 'Event', 'E_FILE'],
  [['undo', '--root', '/nowhere', '-ojsonl'], 'Event', 'E_FILE'],
  [['phase', 'preflit', '--output', 'jsonl'], 'Event', 'E_PHASE_UNKNOWN'],
] as const)('join %j fails before its run begins, and still prints a valid document', async (words, kind, code) => {
  const { stdout, stderr, code: exitCode } = await cli(words);
  expect(documentOf(kind, stdout)).toMatchObject({ status: 'failed', error: { code, exitCode } });
  expect(stderr).toContain(code);
});

test('--color and the variables NO_COLOR and FORCE_COLOR decide about colours', async () => {
  const colours = async (args: string[], env: Record<string, string> = {}) =>
    (await cli(['run', '--no-such-flag', ...args], env)).stderr.includes('\u001b[');
  expect(await colours([])).toBe(false);
  expect(await colours(['--color', 'always'])).toBe(true);
  expect(await colours(['--color=always'], { NO_COLOR: '1' })).toBe(true);
  expect(await colours([], { FORCE_COLOR: '1' })).toBe(true);
  expect(await colours(['--color', 'never'], { FORCE_COLOR: '1' })).toBe(false);
  expect((await cli(['runs', '--color', 'sometimes'])).stderr).toContain('E_USAGE');
});

test('colours mark the signs of a plan, and the lines of its diffs', async () => {
  const root = await scratch();
  await mkdir(join(root, 'etc'));
  const words = ['phase', 'file', '--path', '/etc/motd', '--content', 'hello', '--root', root, '--dry-run', '--diff'];
  const plain = (await cli(words)).stdout;
  const coloured = (await cli([...words, '--color', 'always'])).stdout;
  expect(coloured).toContain('\u001b[32m✓\u001b[39m file');
  expect(coloured).toContain('\u001b[32m        +hello\u001b[39m');
  expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(plain);
});

test('join run -q prints the result and errors, but no progress', async () => {
  const root = await scratch();
  await mkdir(join(root, 'etc'));
  const words = ['phase', 'file', '--path', '/etc/motd', '--content', 'hello', '--root', root, '-q'];
  expect(await cli(words)).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('1 change') });
});

test('--verbose prints the causes of an error, as -v 5 does', async () => {
  const words = ['run', '--config', '/nowhere'];
  const { stderr } = await cli([...words, '--verbose']);
  expect(stderr).toContain('caused by');
  expect((await cli([...words, '-v', '5'])).stderr).toBe(stderr);
  expect((await cli(words)).stderr).not.toContain('caused by');
});
