/** The completions of shells. That of bash is loaded and asked. */
import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, test } from 'vitest';
import { allCommands } from '../../bin/main.ts';
import { completionText } from '../../bin/render/completion.ts';
import { app } from '../helpers/app.ts';
import { cli } from './cli.ts';

describe('join completion bash', () => {
  let script = '';
  beforeAll(async () => {
    script = (await cli(['completion', 'bash'])).stdout;
  });

  /** What bash offers for the last of the words. */
  function offered(...words: string[]): string[] {
    const ask = `COMP_WORDS=(join "$@"); COMP_CWORD=$#; _join; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const answer = execFileSync('bash', ['-c', `set -eu\n${script}\n${ask}`, 'bash', ...words], { encoding: 'utf8' });
    return answer.split('\n').filter((word) => word !== '');
  }

  test.each([
    [['re'], ['resume', 'reset']],
    [['runs', 's'], ['show']],
    [['runs', 'show', '--o'], ['--output']],
    [['run', '10.0.0.1:6443', '--toke'], ['--token']],
    [
      ['run', '--output', 'j'],
      ['json', 'jsonl'],
    ],
    [
      ['run', '--root', '/x', '-o', ''],
      ['text', 'json', 'yaml', 'jsonl'],
    ],
    [['run', '--wait', 'rea'], ['ready']],
    [['run', '--root', ''], []],
    [['phase', 'kubelet-s'], ['kubelet-start']],
    [['phase', 'kubeconfig', '--dry'], ['--dry-run']],
    [['completion', '--verb'], ['--verbose']],
  ])('bash completes %j with %j', (words, expected) => {
    expect(offered(...words)).toEqual(expected);
  });

  test('bash offers every visible command', () => {
    const visible = Object.entries(allCommands(app)).filter(([, { hidden }]) => hidden !== true);
    const words = visible.map(([id]) => id.split(':'));
    for (const topic of new Set(words.map((each) => each.slice(0, -1).join(' ')))) {
      const commands = words.filter((each) => each.slice(0, -1).join(' ') === topic).map((each) => each.at(-1));
      expect(offered(...topic.split(' ').filter(Boolean), ''), topic).toEqual(expect.arrayContaining(commands));
    }
  });
});

test('the completions of zsh and fish know the commands and their flags', () => {
  const zsh = completionText('zsh', allCommands(app));
  expect(zsh).toMatch(/^#compdef join joinery\n.*bashcompinit/);
  expect(zsh).toContain(completionText('bash', allCommands(app)));
  const fish = completionText('fish', allCommands(app));
  expect(fish).toContain("complete -c join -n '__join_at' -f -a doctor -d 'Diagnose this machine");
  expect(fish).toMatch(
    /^complete -c join -n '__join_at runs show' -l output -s o -x -a 'text json yaml jsonl svg html' /m,
  );
  expect(
    fish.split('\n').filter((line) => line.startsWith('complete') && (line.match(/(?<!\\)'/g) ?? []).length % 2),
  ).toEqual([]);
});

test('join completion names the shells that it knows', async () => {
  expect(await cli(['completion', 'csh'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('bash, zsh, fish'),
  });
});

test('the completions in packages are for joinery alone, because coreutils has another join', () => {
  const commands = allCommands(app);
  expect(completionText('bash', commands, ['joinery'])).toMatch(/\ncomplete -o default -F _join joinery$/);
  const programs = completionText('fish', commands, ['joinery']).match(/^complete -c \S+/gm);
  expect(new Set(programs)).toEqual(new Set(['complete -c joinery']));
});
