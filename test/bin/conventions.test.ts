// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders look like JavaScript templates
/** What every command line program does: help, version, suggestions for mistyped names. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratch } from '../helpers/machine.ts';
import { cli } from './cli.ts';

test('join help and join version print what --help and --version print', { timeout: 60_000 }, async () => {
  expect((await cli(['help', 'runs', 'prune'])).stdout).toBe((await cli(['runs', 'prune', '--help'])).stdout);
  expect((await cli(['help'])).stdout).toContain('USAGE');
  expect(await cli(['version'])).toEqual(await cli(['--version']));
});

test.each([
  [['resme'], 'E_COMMAND_UNKNOWN: there is no command resme; did you mean resume?'],
  [['runs', 'prnue'], 'E_COMMAND_UNKNOWN: there is no command runs prnue; did you mean runs prune?'],
  [['token', 'creat', '--help'], 'E_COMMAND_UNKNOWN: there is no command token creat; did you mean token create?'],
  [['run', '--pipeline', 'join-worke'], 'did you mean join-worker?'],
  [['plugin', 'new', 'kubeconfig'], 'E_INPUT: NAME: a phase of Joinery has the name kubeconfig already'],
])('join %j names the mistake', async (args, message) => {
  const { code, stderr } = await cli(args);
  expect([code === 0, stderr]).toEqual([false, expect.stringContaining(message)]);
});

test('join pipeline validate finds inputs that exclude each other, unless an expression decides', async () => {
  const file = join(await scratch(), 'p.yaml');
  const validate = async (inputs: string) => {
    await writeFile(
      file,
      `apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: p }\n` +
        `inputs: { type: object, properties: { why: { type: string } } }\n` +
        `steps:\n  - { id: a, uses: command, with: { argv: [ls]${inputs} } }\n`,
      { mode: 0o600 },
    );
    return cli(['pipeline', 'validate', file]);
  };
  const wrong = await validate('');
  expect([wrong.code, wrong.stderr]).toEqual([
    3,
    expect.stringContaining('phase command: needs exactly one of: undo, irreversible, query'),
  ]);
  expect((await validate(', query: true, undo: [ls]')).code).toBe(3);
  expect((await validate(', query: true')).code).toBe(0);
  expect((await validate(', irreversible: "${{ inputs.why }}"')).code).toBe(0);
  expect((await validate(', undo: [no-such-program]')).stderr).toContain(
    'step a: no-such-program, which would undo it, is not installed here',
  );
});
