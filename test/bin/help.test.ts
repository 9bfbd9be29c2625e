// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders look like JavaScript templates
/** Help: its width, and what it says of the pipeline that a command line names. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratch } from '../helpers/machine.ts';
import { start } from './cli.ts';

/** In a process of its own, because oclif reads the width of the terminal once. */
const help = async (words: string[], columns = 80): Promise<string> =>
  (await start([...words, '--help'], { OCLIF_COLUMNS: String(columns) }).outcome).stdout;

test.each([
  [80, ['run']],
  [80, ['plan']],
  [80, ['undo']],
  [80, ['phase', 'kubelet-start']],
  [120, ['run']],
  [120, []],
  [80, ['phase', 'kubelet-config']],
  [80, ['run', '--control-plane']],
  [60, ['run']],
  [60, ['runs', 'show']],
  [60, ['runs', 'prune']],
  [60, []],
  [60, ['ca-hash']],
  [60, ['config', 'migrate']],
  [120, ['phase', 'tls-bootstrap']],
])('at %d columns, no line of the help of join %j is longer', { timeout: 30_000 }, async (columns, words) => {
  const lines = (await help(words, columns)).split('\n');
  expect(lines.length).toBeGreaterThan(8);
  expect(lines.filter((line) => line.length > columns)).toEqual([]);
});

test('the help of join run describes the pipeline that the command line names', { timeout: 30_000 }, async () => {
  const file = join(await scratch(), 'greet.yaml');
  const inputs = 'inputs: { type: object, properties: { greeting: { type: string, description: What to say } } }';
  const step = '- { id: motd, uses: file, with: { path: /etc/motd, content: "${{ inputs.greeting }}" } }';
  const head = 'apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: greet, description: Greets people }';
  await writeFile(file, `${head}\n${inputs}\nsteps:\n  ${step}\n`, { mode: 0o600 });
  const text = await help(['run', '--pipeline', file]);
  expect(text).toMatch(/^Greets people\n\nUSAGE\n {2}\$ join run \[FLAGS\]\n/);
  expect(text).toMatch(/--greeting=TEXT +What to say/);
  expect(text).not.toMatch(/^ +--token[=, ]/m);
  expect(await help(['plan'])).toContain('$ join plan [ENDPOINT] [FLAGS]\n');
});
