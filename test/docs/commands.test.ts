/** docs/commands.md is generated: `npx vitest run test/docs/commands.test.ts -u` updates it. */
import { join } from 'node:path';
import type { Command } from '@oclif/core';
import { expect, test } from 'vitest';
import { globalFlags } from '../../bin/inputs/common-flags.ts';
import { allCommands } from '../../bin/main.ts';
import { app } from '../helpers/app.ts';
import { PROJECT } from '../helpers/sources.ts';

type Flag = { description?: string; helpValue?: string; type: string; char?: string; options?: readonly string[] };
type Argument = { description?: string; required?: boolean };

const HEAD = `# Commands

This page is generated from the commands: \`npx vitest run test/docs/commands.test.ts -u\` updates it.
\`join COMMAND --help\` prints the same texts. An installed Joinery is called \`join\` and also \`joinery\`.
In the checkout it is \`bin/join\`.
`;

const cell = (text: string): string =>
  text
    .trim()
    .replace(/\s*\n\s*/g, ' ')
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;');
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => {
  if (rows.length === 0) return [];
  const lines = [head, head.map(() => '---'), ...rows.map((row) => row.map(cell))];
  return ['', ...lines.map((row) => `| ${row.join(' | ')} |`)];
};
/** Breaks lines before column 117. */
const wrapped = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.replace(/(.{1,116})(?: +|$)/g, '$1\n').trimEnd())
    .join('\n');
const example = (text: string): string => text.replaceAll('<%= config.bin %>', 'join');

function formOf({ type, options, helpValue }: Flag): string {
  if (type === 'boolean') return '';
  return `=${options?.join('|') ?? helpValue ?? 'VALUE'}`;
}

const flagRows = (flags: [string, Flag][]): string[][] =>
  flags
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([flag, options]) => [
      `\`${options.char === undefined ? '' : `-${options.char}, `}--${flag}${formOf(options)}\``,
      options.description ?? '',
    ]);

function section(id: string, { args = {}, flags = {}, summary, description, examples = [] }: Command.Class): string {
  const name = `join ${id.replaceAll(':', ' ')}`;
  const argumentRows = Object.entries(args as Record<string, Argument>).map(([argument, { required, ...rest }]) => [
    required === true ? argument.toUpperCase() : `[${argument.toUpperCase()}]`,
    rest.description ?? '',
  ]);
  const own = Object.entries(flags as Record<string, Flag>).filter(([flag]) => !Object.hasOwn(globalFlags, flag));
  const lines = [
    `## ${name}`,
    '',
    `${summary}.`,
    ...(description === undefined ? [] : ['', wrapped(description.replaceAll('<', '&lt;'))]),
    ...table(['argument', 'meaning'], argumentRows),
    ...table(['flag', 'meaning'], flagRows(own)),
    ...(examples.length === 0 ? [] : ['', '```sh', ...examples.map((text) => example(String(text))), '```']),
  ];
  return lines.join('\n');
}

test('docs/commands.md lists every command with its arguments and flags', async () => {
  const visible = Object.entries(allCommands(app)).filter(([, command]) => command.hidden !== true);
  const commands = visible.filter(([id]) => !id.startsWith('phase:')).sort(([a], [b]) => (a < b ? -1 : 1));
  const phases = visible.filter(([id]) => id.startsWith('phase:'));
  const index = commands.map(([id, { summary }]) => {
    const name = `join ${id.replaceAll(':', ' ')}`;
    return [`[\`${name}\`](#${name.replaceAll(' ', '-')})`, summary ?? ''];
  });
  const text = [
    HEAD.trimEnd(),
    ...table(['command', 'what it does'], index),
    '',
    'Every command has these flags:',
    ...table(['flag', 'meaning'], flagRows(Object.entries(globalFlags as Record<string, Flag>))),
    '',
    ...commands.flatMap(([id, command]) => [section(id, command), '']),
    '## join phase NAME',
    '',
    'Each phase takes its inputs as flags: `join phase NAME --help`.',
    ...table(
      ['phase', 'what it does'],
      phases.map(([id, { summary }]) => [`\`${id.slice('phase:'.length)}\``, summary ?? '']),
    ),
    '',
  ];
  await expect(text.join('\n')).toMatchFileSnapshot(join(PROJECT, 'docs/commands.md'));
});
