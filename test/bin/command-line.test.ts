/** command-line.txt lists the whole command line: `npx vitest run test/bin/command-line.test.ts -u` updates it. */
import type { Command } from '@oclif/core';
import { expect, test } from 'vitest';
import { globalFlags } from '../../bin/inputs/common-flags.ts';
import { allCommands } from '../../bin/main.ts';
import { app } from '../helpers/app.ts';

type Flag = NonNullable<Command.Class['flags']>[string] & { multiple?: boolean; options?: readonly string[] };

const EVERY = 'every command';

/** The parts that scripts rely on: names, forms and defaults, without the descriptions. */
function lines(id: string, { args = {}, flags = {} }: Command.Class): string[] {
  const words = Object.entries(args).map(([name, { required }]) => (required === true ? name : `[${name}]`));
  const own = Object.entries(flags).filter(([name]) => !Object.hasOwn(globalFlags, name) || id === EVERY);
  const sorted = own.sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    [id.replaceAll(':', ' '), ...words].join(' '),
    ...sorted.map(([name, flag]) => `  --${name}${formOf(flag as Flag)}`),
  ];
}

function formOf({ type, char, multiple, options, required, default: value }: Flag): string {
  return [
    type === 'boolean' ? '' : `=${options?.join('|') ?? 'VALUE'}${multiple === true ? ',…' : ''}`,
    char === undefined ? '' : ` (-${char})`,
    required === true ? ' required' : '',
    value === undefined || typeof value === 'function' ? '' : ` default ${JSON.stringify(value)}`,
  ].join('');
}

test('commands, arguments and flags match command-line.txt', async () => {
  const commands = Object.entries(allCommands(app)).sort(([a], [b]) => (a < b ? -1 : 1));
  const every = [EVERY, { flags: globalFlags } as unknown as Command.Class] as const;
  const commandLines = [every, ...commands].flatMap(([id, command]) => lines(id, command));
  await expect(`${commandLines.join('\n')}\n`).toMatchFileSnapshot('command-line.txt');
});

/** The worker flags of `kubeadm join` in 2017 and today. */
const KUBEADMS = [
  'config',
  'cri-socket',
  'discovery-file',
  'discovery-token',
  'discovery-token-ca-cert-hash',
  'discovery-token-unsafe-skip-ca-verification',
  'dry-run',
  'feature-gates',
  'ignore-checks-errors',
  'ignore-preflight-errors',
  'node-name',
  'patches',
  'skip-phases',
  'tls-bootstrap-token',
  'token',
  'v',
];

test('join run has every worker flag of kubeadm join', () => {
  const flags = Object.keys(allCommands(app).run?.flags ?? {});
  expect(KUBEADMS.filter((flag) => !flags.includes(flag))).toEqual([]);
});
