/** The README shows what the commands print: `npx vitest run test/docs/readme.test.ts -u` updates it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { project, type Scene, scene, start } from '../bin/cli.ts';

/** The values that the README shows in place of those of a test. */
const ENDPOINT = '127.0.0.1:6443';
const TOKEN = 'abcdef.0123456789abcdef';
const PIN = 'sha256:8f58…90dc';
const ROOT = '/tmp/joinery/machine';

const swaps = ({ sandbox, root }: Scene): [real: string, written: string][] => [
  [sandbox.endpoint, ENDPOINT],
  [sandbox.token, TOKEN],
  [sandbox.token.slice(0, 6), TOKEN.slice(0, 6)],
  [sandbox.caPin, PIN],
  [root, ROOT],
];

const toReal = (command: string, { sandbox, root }: Scene): string[] => {
  const real: Record<string, string> = {
    [ENDPOINT]: sandbox.endpoint,
    [TOKEN]: sandbox.token,
    [PIN]: sandbox.caPin,
    [ROOT]: root,
  };
  return command.split(' ').map((word) => real[word] ?? word);
};

function toWritten(output: string, played: Scene): string {
  const swapped = swaps(played).reduce((text, [real, written]) => text.replaceAll(real, written), output);
  return swapped
    .replace(/(?<= in )[\d.]+ s\b/g, '1.50 s')
    .replace(/\([\d.]+ s\)/g, '(0.10 s)')
    .replace(/\b20\d{6}-\d{6}-[0-9a-f]{4}\b/g, '20261130-103000-1a2b')
    .replace(/(?<=127\.0\.0\.1:)\d+(?=\/healthz)/, '10248')
    .replace(/(?<=\(limit )(\d)m5\ds/g, (_, minutes) => `${Number(minutes) + 1}m`) // a part of it has passed
    .replace(/(?<=expires on )[\d-]+/g, '2027-11-30')
    .replace(/node-csr-[\w-]{20,}/g, 'node-csr-tq3…');
}

/** Independent steps end in any order. */
const isSameInSomeOrder = (one: string, other: string): boolean =>
  one.split('\n').sort().join('\n') === other.split('\n').sort().join('\n');

async function outputOf(command: string, played: Scene): Promise<string> {
  const { code, stdout, stderr } = await start(toReal(command.replace(/^bin\/join /, ''), played)).outcome;
  expect(code, stderr).toBe(0);
  return toWritten(`${stderr}${stdout}`, played);
}

test('the commands of the quick start print what the README shows', { timeout: 60_000 }, async () => {
  const played = await scene({});
  let readme = await readFile(join(project, 'README.md'), 'utf8');
  const [block = ''] = /(?<=```console\n)[\s\S]*?(?=```)/.exec(readme) ?? [];
  const commands = block.split(/^\$ /m).slice(1);
  expect(commands.map((text) => text.split(' ')[1])).toEqual(['run', 'doctor']);
  for (const text of commands) {
    const [typed = ''] = /^(?:.* \\\n)*.*\n/.exec(text) ?? [];
    const actual = await outputOf(typed.trim().replace(/ \\\n +/g, ' '), played);
    if (!isSameInSomeOrder(text.slice(typed.length), actual)) readme = readme.replace(text, () => typed + actual);
  }
  for (const command of readme.match(/^bin\/join (?:runs show|undo) .*$/gm) ?? []) await outputOf(command, played);
  await expect(readme).toMatchFileSnapshot(join(project, 'README.md'));
});

test('sandbox up prints a join command of the form that the README shows', async () => {
  const readme = await readFile(join(project, 'README.md'), 'utf8');
  const source = await readFile(join(project, 'bin/commands/sandbox/machine.ts'), 'utf8');
  expect(readme).toContain('bin/join sandbox up');
  for (const flag of ['--token', '--discovery-token-ca-cert-hash', '--root'])
    expect([readme.includes(` ${flag} `), source.includes(`'${flag}'`)], flag).toEqual([true, true]);
});
